package integrity

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/otelcol-custody/custody/store"
)

// maxSilence is how long a store may say nothing before a call is given up.
const maxSilence = time.Minute

// patient is a store whose calls end when it is silent for too long, and whose
// bytes are paid for. It refuses to write.
type patient struct {
	store.Store
	pace   *pace
	urgent bool
}

// patientVersioned is the same for a store that can read below the newest version.
type patientVersioned struct {
	patient
	inner store.Versioned
}

func withPatience(s store.Store, p *pace, urgent bool) store.Store {
	one := patient{s, p, urgent}
	if v, ok := s.(store.Versioned); ok {
		return patientVersioned{one, v}
	}
	return one
}

// silence ends a context when nothing was heard for maxSilence.
type silence struct {
	parent context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer
}

var errSilent = fmt.Errorf("%w: it said nothing for %v", store.ErrUnavailable, maxSilence)

func listen(ctx context.Context) (context.Context, *silence) {
	within, cancel := context.WithCancelCause(ctx)
	return within, &silence{ctx, cancel, time.AfterFunc(maxSilence, func() { cancel(errSilent) })}
}

// heard begins to wait anew.
func (s *silence) heard() { s.timer.Reset(maxSilence) }

// busy stops the clock while it is not the store that is waited for.
func (s *silence) busy() { s.timer.Stop() }

func (s *silence) end() {
	s.timer.Stop()
	s.cancel(nil)
}

// why is the error of a call: silence and not that a context ended.
func (s *silence) why(within context.Context, err error) error {
	if err != nil && s.parent.Err() == nil && errors.Is(context.Cause(within), errSilent) {
		return errSilent
	}
	return err
}

func call[T any](ctx context.Context, f func(context.Context) (T, error)) (T, error) {
	within, s := listen(ctx)
	defer s.end()
	t, err := f(within)
	return t, s.why(within, err)
}

func (p patient) PutOnce(context.Context, string, []byte, store.PutOptions) (store.Info, error) {
	return store.Info{}, store.ErrReadOnly
}

func (p patient) Get(ctx context.Context, name string) (io.ReadCloser, store.Info, error) {
	return p.open(ctx, func(ctx context.Context) (io.ReadCloser, store.Info, error) { return p.Store.Get(ctx, name) })
}

func (p patientVersioned) GetVersion(ctx context.Context, name, version string) (io.ReadCloser, store.Info, error) {
	return p.open(ctx, func(ctx context.Context) (io.ReadCloser, store.Info, error) {
		return p.inner.GetVersion(ctx, name, version)
	})
}

func (p patient) GetRange(ctx context.Context, name string, off, n int64) ([]byte, error) {
	b, err := call(ctx, func(ctx context.Context) ([]byte, error) { return p.Store.GetRange(ctx, name, off, n) })
	if err != nil {
		return nil, err
	}
	return b, p.pace.pay(ctx, len(b), p.urgent)
}

func (p patient) Stat(ctx context.Context, name string) (store.Info, error) {
	return call(ctx, func(ctx context.Context) (store.Info, error) { return p.Store.Stat(ctx, name) })
}

func (p patient) Versions(ctx context.Context, name string) ([]store.Info, error) {
	return call(ctx, func(ctx context.Context) ([]store.Info, error) { return p.Store.Versions(ctx, name) })
}

func (p patient) List(ctx context.Context, prefix, after string) iter.Seq2[store.Info, error] {
	return heed(ctx, func(ctx context.Context) iter.Seq2[store.Info, error] { return p.Store.List(ctx, prefix, after) })
}

func (p patientVersioned) ListVersions(ctx context.Context, prefix, after string) iter.Seq2[store.Info, error] {
	return heed(ctx, func(ctx context.Context) iter.Seq2[store.Info, error] {
		return p.inner.ListVersions(ctx, prefix, after)
	})
}

// heed passes a listing on.
func heed(ctx context.Context, list func(context.Context) iter.Seq2[store.Info, error]) iter.Seq2[store.Info, error] {
	return func(yield func(store.Info, error) bool) {
		within, s := listen(ctx)
		defer s.end()
		for info, err := range list(within) {
			s.busy()
			if !yield(info, s.why(within, err)) {
				return
			}
			s.heard()
		}
	}
}

func (p patient) open(ctx context.Context, get func(context.Context) (io.ReadCloser, store.Info, error)) (io.ReadCloser, store.Info, error) {
	within, s := listen(ctx)
	r, info, err := get(within)
	if err != nil {
		s.end()
		return nil, info, s.why(within, err)
	}
	s.busy()
	return &body{r, within, s, p}, info, nil
}

// body is an object that is being read.
type body struct {
	io.ReadCloser
	within context.Context
	s      *silence
	p      patient
}

// mouthful is how much is read before it is paid for.
const mouthful = 64 << 10

func (b *body) Read(to []byte) (int, error) {
	b.s.heard()
	n, err := b.ReadCloser.Read(to[:min(len(to), mouthful)])
	b.s.busy()
	if err != nil && !errors.Is(err, io.EOF) {
		return n, b.s.why(b.within, err)
	}
	if paid := b.p.pace.pay(b.s.parent, n, b.p.urgent); paid != nil {
		return n, paid
	}
	return n, err
}

func (b *body) Close() error {
	defer b.s.end()
	return b.ReadCloser.Close()
}
