package digestdir

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
)

const (
	digestSuffix   = ".json.gz"
	metadataSuffix = ".metadata.json"
	// maxDigest bounds a digest, packed and inflated: one of 100,000 log files has 40 MB.
	maxDigest = 256 << 20
)

// errUnread means that a file could not be read: that says nothing about it.
var errUnread = errors.New("could not be read")

// readDigest returns a digest's inflated bytes. What is no gzip is returned as it is: the
// judge says what it thinks of it. Errors are errUnread.
func readDigest(fsys fs.FS, p string) ([]byte, error) {
	packed, err := readFile(fsys, p)
	if err != nil {
		return nil, err
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return packed, nil
	}
	data, err := io.ReadAll(io.LimitReader(r, maxDigest+1))
	if err != nil {
		return packed, nil
	}
	if len(data) > maxDigest {
		return nil, fmt.Errorf("%w: %s: more than %d MiB", errUnread, p, maxDigest>>20)
	}
	return data, nil
}

func readFile(fsys fs.FS, p string) ([]byte, error) {
	f, err := fsys.Open(p)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUnread, err)
	}
	defer func() { _ = f.Close() }() // Only read from.
	data, err := io.ReadAll(io.LimitReader(f, maxDigest+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUnread, err)
	}
	if len(data) > maxDigest {
		return nil, fmt.Errorf("%w: %s: more than %d MiB", errUnread, p, maxDigest>>20)
	}
	return data, nil
}

// readMetadata returns a digest's signature and algorithm: "" if there is no such file.
// It takes x-amz-meta-* pairs, and what `aws s3api head-object` and get-object print.
func readMetadata(fsys fs.FS, p string) (signature, algorithm string, err error) {
	data, err := readFile(fsys, p+metadataSuffix)
	if errors.Is(err, fs.ErrNotExist) {
		return "", "", nil
	}
	if err != nil {
		return "", "", err
	}
	var doc map[string]any
	if err := json.Unmarshal(data, &doc); err != nil {
		return "", "", fmt.Errorf("%w: %s%s: %w", errUnread, p, metadataSuffix, err)
	}
	if inner, ok := doc["Metadata"].(map[string]any); ok {
		doc = inner
	}
	for key, v := range doc {
		text, _ := v.(string)
		switch strings.TrimPrefix(strings.ToLower(key), "x-amz-meta-") {
		case "signature":
			signature = text
		case "signature-algorithm":
			algorithm = text
		}
	}
	return signature, algorithm, nil
}

// A hashed log file: Hash is hex, or says why there is none.
type hashed struct {
	hash  string
	bytes uint64 // inflated
	err   error  // errUnread
}

// hashLog hashes all that a log file inflates to, whatever the number of gzip members.
func hashLog(fsys fs.FS, p string) hashed {
	f, err := fsys.Open(p)
	if err != nil {
		return hashed{err: fmt.Errorf("%w: %w", errUnread, err)}
	}
	defer func() { _ = f.Close() }() // Only read from.
	source := &watched{r: f}
	sum := sha256.New()
	n, err := inflate(sum, source)
	switch {
	case source.err != nil:
		return hashed{err: fmt.Errorf("%w: %w", errUnread, source.err)}
	case err != nil:
		return hashed{hash: fmt.Sprintf("no whole gzip file (%v)", err), bytes: n}
	}
	return hashed{hash: hex.EncodeToString(sum.Sum(nil)), bytes: n}
}

func inflate(to io.Writer, from io.Reader) (uint64, error) {
	r, err := gzip.NewReader(from)
	if err != nil {
		return 0, err
	}
	n, err := io.Copy(to, r)
	return uint64(n), err
}

// watched tells a read that failed from a file that is not what it should be.
type watched struct {
	r   io.Reader
	err error
}

func (w *watched) Read(b []byte) (int, error) {
	n, err := w.r.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		w.err = err
	}
	return n, err
}
