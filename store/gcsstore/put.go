package gcsstore

import (
	"bytes"
	"context"
	"crypto/md5" // Cloud Storage's checksum beside CRC32C; nothing is trusted for it
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"net/http"
	"sync"
	"time"

	"cloud.google.com/go/storage"

	"github.com/otelcol-custody/custody/store"
)

// DigestKey is the custom metadata with an object's SHA-256 in hex.
const DigestKey = "custody-sha256"

// Up to this size an object is sent in one request, from the caller's memory;
// a larger one in chunks that are sent again one by one.
const chunk = 16 << 20

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// PutOnce implements [store.Store].
func (s *Store) PutOnce(ctx context.Context, name string, data []byte, opt store.PutOptions) (store.Info, error) {
	if err := s.writable(ctx, name); err != nil {
		return store.Info{}, err
	}
	want, err := sayable(opt.Retention, time.Now())
	if err != nil {
		return store.Info{}, fmt.Errorf("%s: %s: %w", s.id, name, err)
	}
	return s.put(ctx, newUpload(name, data, want))
}

// upload is an object to be stored, with its checksums.
type upload struct {
	name   string
	data   []byte
	want   store.Retention
	sha256 [sha256.Size]byte
	md5    [md5.Size]byte
	crc32c uint32
}

func newUpload(name string, data []byte, want store.Retention) upload {
	u := upload{name: name, data: data, want: want}
	var slow sync.WaitGroup // MD5 takes longer than the rest together
	slow.Go(func() { u.md5 = md5.Sum(data) })
	u.sha256, u.crc32c = sha256.Sum256(data), crc32.Checksum(data, castagnoli)
	slow.Wait()
	return u
}

// put creates the object or finds it there. It repeats what may help: with the
// precondition, an upload whose answer was lost is found, not doubled.
func (s *Store) put(ctx context.Context, u upload) (store.Info, error) {
	begin, pause := time.Now(), pauses
	for attempt := 1; ; attempt++ {
		info, err := s.putOrConfirm(ctx, u)
		if !errors.Is(err, store.ErrUnavailable) || attempt == attempts || time.Since(begin) > retryFor {
			return info, err
		}
		if err := sleep(ctx, pause.Pause()); err != nil {
			return store.Info{}, s.fail(ctx, "store "+u.name, err)
		}
	}
}

func (s *Store) putOrConfirm(ctx context.Context, u upload) (store.Info, error) {
	a, err := s.insert(ctx, u)
	switch code := status(err); {
	case err == nil:
		return s.accept(u, a)
	case code == http.StatusPreconditionFailed, code == http.StatusForbidden && s.isThere(ctx, u.name):
		return s.confirm(ctx, u)
	case len(u.data) > chunk && (code == http.StatusNotFound || code == http.StatusGone) && s.hasBucket(ctx):
		return store.Info{}, fmt.Errorf("%w: %s: store %s: the server lost the upload", store.ErrUnavailable, s.id, u.name)
	}
	return store.Info{}, s.creating(s.fail(ctx, "store "+u.name, err))
}

// creating is for errors of creating an object, which can't be missing: then
// its bucket is.
func (s *Store) creating(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("%w: %s: %s", store.ErrUnfit, s.id, noBucket)
	}
	return err
}

// isThere tells a refusal to replace an object from other refusals: a caller
// without storage.objects.delete, as a writer should be, may not replace, and
// can be told so before the precondition is looked at.
func (s *Store) isThere(ctx context.Context, name string) bool {
	_, err := s.attrs(ctx, s.object(name), name)
	return err == nil
}

// insert makes one attempt, and for a large object one for each chunk.
func (s *Store) insert(ctx context.Context, u upload) (*storage.ObjectAttrs, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout+time.Duration(len(u.data)/slowestLink)*time.Second)
	defer cancel()
	o := s.object(u.name).If(storage.Conditions{DoesNotExist: true})
	w := o.Retryer(storage.WithPolicy(storage.RetryNever)).NewWriter(ctx)
	if len(u.data) > chunk {
		failures := 0
		w = o.Retryer(storage.WithErrorFunc(func(err error) bool {
			failures++
			return failures < attempts && storage.ShouldRetry(err)
		})).NewWriter(ctx)
		w.ChunkSize, w.ChunkRetryDeadline = chunk, 2*retryFor
	} else {
		w.ChunkSize = 0
	}
	s.describe(w, u)
	_, err := w.Write(u.data)
	if closeErr := w.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return nil, err
	}
	return w.Attrs(), nil
}

// describe sets what goes with an object's bytes.
func (s *Store) describe(w *storage.Writer, u upload) {
	w.SendCRC32C, w.CRC32C, w.MD5 = true, u.crc32c, u.md5[:]
	w.ContentType = "application/octet-stream" // or the client guesses
	w.StorageClass, w.KMSKeyName = s.opt.StorageClass, s.opt.KMSKey
	w.Metadata = map[string]string{}
	maps.Copy(w.Metadata, s.opt.Metadata)
	w.Metadata[DigestKey] = hex.EncodeToString(u.sha256[:])
	w.Retention = config(u.want)
	w.TemporaryHold = u.want.LegalHold
}

// accept checks what the server says that it stored.
func (s *Store) accept(u upload, a *storage.ObjectAttrs) (store.Info, error) {
	if !s.describes(a, u.name) {
		return store.Info{}, s.notCloudStorage("store " + u.name)
	}
	if a.Size != int64(len(u.data)) || a.CRC32C != u.crc32c {
		return store.Info{}, fmt.Errorf("%w: %s: the server was sent %d bytes as %s, and answers that it stored %d others", store.ErrUnfit, s.id, len(u.data), u.name, a.Size)
	}
	bound, err := s.covered(u.name, a, u.want)
	if err != nil {
		return store.Info{}, err
	}
	return s.stored(u, a, bound), nil
}

// confirm compares what is there with what was to be stored, and extends its
// retention.
func (s *Store) confirm(ctx context.Context, u upload) (store.Info, error) {
	a, err := s.attrs(ctx, s.object(u.name), u.name)
	if err == nil {
		err = s.compare(ctx, u, a)
	}
	if errors.Is(err, store.ErrNotFound) {
		return store.Info{}, fmt.Errorf("%w: %s: %s was there when it was to be created, and then it wasn't", store.ErrUnavailable, s.id, u.name)
	}
	if err != nil {
		return store.Info{}, err
	}
	bound, err := s.extend(ctx, u.name, a, u.want)
	if errors.Is(err, errChanged) {
		return store.Info{}, fmt.Errorf("%w: %s: the metadata of %s changed while its retention was extended", store.ErrUnavailable, s.id, u.name)
	}
	if err != nil {
		return store.Info{}, err
	}
	return s.stored(u, a, bound), nil
}

// stored describes an object whose bytes are known.
func (s *Store) stored(u upload, a *storage.ObjectAttrs, bound store.Retention) store.Info {
	info := s.info(u.name, a)
	info.Latest, info.SHA256, info.Retention = true, u.sha256, bound
	return info
}

// compare reads a generation and compares it byte by byte: two objects with
// equal checksums of Cloud Storage's kind are easily made.
func (s *Store) compare(ctx context.Context, u upload, a *storage.ObjectAttrs) error {
	other := fmt.Errorf("%w: %s: %s has %d bytes, other than the %d to be stored", store.ErrExists, s.id, u.name, a.Size, len(u.data))
	if a.Size != int64(len(u.data)) {
		return other
	}
	r, _, err := s.open(ctx, s.object(u.name).Generation(a.Generation), u.name)
	if err != nil {
		return err
	}
	defer r.Close()
	same, err := holds(r, u.data)
	if err != nil {
		return err
	}
	if !same {
		return other
	}
	return nil
}

// holds reports whether r's content is data.
func holds(r io.Reader, data []byte) (bool, error) {
	buf := make([]byte, min(len(data), 128<<10))
	for len(data) > 0 {
		n, err := io.ReadFull(r, buf[:min(len(buf), len(data))])
		if err != nil {
			return false, err
		}
		if !bytes.Equal(buf[:n], data[:n]) {
			return false, nil
		}
		data = data[n:]
	}
	return true, nil
}
