package digest

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/otelcol-custody/custody/audit/internal/jsonscan"
)

// ErrMalformed means that bytes are not a digest file.
var ErrMalformed = errors.New("not a digest file")

const (
	// SignatureAlgorithm is the only one that CloudTrail uses.
	SignatureAlgorithm = "SHA256withRSA"
	hashAlgorithm      = "SHA-256"
)

// An Object is an object in S3.
type Object struct {
	Bucket string `json:"bucket"`
	Key    string `json:"key"`
}

func (o Object) String() string { return "s3://" + o.Bucket + "/" + o.Key }

// A Digest is what a digest file says; parsing implies no trust.
type Digest struct {
	Account     string
	Start, End  time.Time
	EndText     string // as it is written, which is what is signed
	Object      Object // where the file says that it lies
	Fingerprint string // of the key that signed it
	Previous    Previous
	Logs        []LogFile
}

// Previous is what a digest says of the one before. It is zero in a starting digest, which
// CloudTrail writes when validation or logging is turned on.
type Previous struct {
	Object    `json:",omitzero"`
	Hash      string `json:"hash,omitempty"`      // hex SHA-256 of its inflated bytes
	Signature string `json:"signature,omitempty"` // hex
}

// A LogFile is a log file that a digest lists.
type LogFile struct {
	Object
	Hash string // hex SHA-256 of its inflated bytes
}

// Parse reads a digest file's inflated bytes. Keys are compared exactly, a key that comes
// twice is refused, members that are not known are left alone: the signature covers them.
// Errors are [ErrMalformed].
func Parse(inflated []byte) (*Digest, error) {
	p := &parser{Scanner: jsonscan.Scanner{Data: inflated}}
	p.SkipSpace()
	d, err := p.digest()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return d, nil
}

func (p *parser) digest() (*Digest, error) {
	d := &Digest{}
	top, err := p.object(func(key string) (bool, error) {
		if key != "logFiles" {
			return false, nil
		}
		return true, p.logFiles(d)
	})
	if err != nil {
		return nil, err
	}
	if p.SkipSpace(); p.Pos != len(p.Data) {
		return nil, errors.New("something follows the digest")
	}
	f := fields{values: top}
	d.Account = f.text("awsAccountId")
	d.EndText = f.text("digestEndTime")
	d.Start, d.End = f.time("digestStartTime"), f.time("digestEndTime")
	d.Object = Object{f.text("digestS3Bucket"), f.text("digestS3Object")}
	d.Fingerprint = f.text("digestPublicKeyFingerprint")
	f.fixed("digestSignatureAlgorithm", SignatureAlgorithm)
	d.Previous = f.previous()
	f.need("logFiles")
	if f.err == nil && d.End.Before(d.Start) {
		return nil, errors.New("digestEndTime is before digestStartTime")
	}
	return d, f.err
}

func (p *parser) logFiles(d *Digest) error {
	if p.Peek() != '[' {
		return errors.New("logFiles is not a list")
	}
	more, err := p.Open(']'), error(nil)
	for more {
		entry, err := p.object(nil)
		if err != nil {
			return err
		}
		f := fields{values: entry}
		l := LogFile{Object: Object{f.text("s3Bucket"), f.text("s3Object")}, Hash: f.hash("hashValue")}
		f.fixed("hashAlgorithm", hashAlgorithm)
		if f.err != nil {
			return fmt.Errorf("logFiles[%d]: %w", len(d.Logs), f.err)
		}
		d.Logs = append(d.Logs, l)
		if more, err = p.Next(']'); err != nil {
			return err
		}
	}
	return err
}

// fields are the members of an object. The first thing that is wrong stays in err.
type fields struct {
	values map[string]value
	err    error
}

func (f *fields) fail(format string, args ...any) {
	if f.err == nil {
		f.err = fmt.Errorf(format, args...)
	}
}

func (f *fields) need(key string) value {
	v, ok := f.values[key]
	if !ok {
		f.fail("%s is missing", key)
	}
	return v
}

func (f *fields) text(key string) string {
	v := f.need(key)
	if v.text == "" {
		f.fail("%s must be a text that is not empty", key)
	}
	return v.text
}

func (f *fields) fixed(key, want string) {
	if got := f.text(key); got != want {
		f.fail("%s is %q, not %s", key, got, want)
	}
}

func (f *fields) time(key string) time.Time {
	s := f.text(key)
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || !strings.HasSuffix(s, "Z") {
		f.fail("%s is %q, not a time in UTC", key, s)
	}
	return t
}

func (f *fields) hash(key string) string {
	s := f.text(key)
	if !isHex(s, 64) {
		f.fail("%s is not the hex of a SHA-256", key)
	}
	return s
}

// previous reads the five members that are all null in a starting digest.
func (f *fields) previous() (p Previous) {
	keys := []string{"previousDigestS3Bucket", "previousDigestS3Object", "previousDigestHashValue", "previousDigestHashAlgorithm", "previousDigestSignature"}
	nulls := 0
	for _, key := range keys {
		if f.need(key).null {
			nulls++
		}
	}
	if nulls == len(keys) || f.err != nil {
		return p
	}
	p = Previous{Object{f.text(keys[0]), f.text(keys[1])}, f.hash(keys[2]), f.text(keys[4])}
	f.fixed(keys[3], hashAlgorithm)
	if !isHex(p.Signature, 0) {
		f.fail("%s is not hex", keys[4])
	}
	return p
}

// isHex says whether s is lower-case hex, of n digits unless n is 0.
func isHex(s string, n int) bool {
	_, err := hex.DecodeString(s)
	return err == nil && s == strings.ToLower(s) && (n == 0 || len(s) == n)
}
