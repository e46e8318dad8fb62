package integrity

import (
	"context"
	"errors"
	"io"
	"iter"
	"sync"
	"time"

	"github.com/otelcol-custody/custody/store"
)

// patient is a store whose calls end when it is silent for too long, whether it
// heeds its context or not, and whose bytes are paid for. It refuses to write.
type patient struct {
	store.Store
	calls  calls
	pace   *pace
	urgent bool
}

// patientVersioned is the same for a store that can read below the newest version.
type patientVersioned struct {
	patient
	inner store.Versioned
}

func withPatience(s store.Store, c calls, p *pace, urgent bool) store.Store {
	one := patient{s, c, p, urgent}
	if v, ok := s.(store.Versioned); ok {
		return patientVersioned{one, v}
	}
	return one
}

// Yielding is a store whose reads wait for the guard's own and count towards its
// limit, for whoever reads much beside it. A call ends when the store is silent
// for a minute. It cannot be written to, and closing it is left to its owner.
func (g *Guard) Yielding(s store.Store) store.Store {
	return withPatience(s, newCalls(), g.pace, false)
}

func (p patient) Close() error { return nil }

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
	b, err := ask(ctx, p.calls, func(ctx context.Context) ([]byte, error) { return p.Store.GetRange(ctx, name, off, n) })
	if err != nil {
		return nil, err
	}
	return b, p.pace.pay(ctx, len(b), p.urgent)
}

func (p patient) Stat(ctx context.Context, name string) (store.Info, error) {
	return ask(ctx, p.calls, func(ctx context.Context) (store.Info, error) { return p.Store.Stat(ctx, name) })
}

func (p patient) Versions(ctx context.Context, name string) ([]store.Info, error) {
	return ask(ctx, p.calls, func(ctx context.Context) ([]store.Info, error) { return p.Store.Versions(ctx, name) })
}

func (p patient) List(ctx context.Context, prefix, after string) iter.Seq2[store.Info, error] {
	return p.calls.listing(ctx, func(ctx context.Context) iter.Seq2[store.Info, error] { return p.Store.List(ctx, prefix, after) })
}

func (p patientVersioned) ListVersions(ctx context.Context, prefix, after string) iter.Seq2[store.Info, error] {
	return p.calls.listing(ctx, func(ctx context.Context) iter.Seq2[store.Info, error] {
		return p.inner.ListVersions(ctx, prefix, after)
	})
}

func (p patient) open(ctx context.Context, get func(context.Context) (io.ReadCloser, store.Info, error)) (io.ReadCloser, store.Info, error) {
	type object struct {
		io.ReadCloser
		info store.Info
	}
	s := p.calls.listen(ctx)
	o, err := wait(s, func() (object, error) {
		r, info, err := get(s.within)
		return object{r, info}, err
	}, func(o object) { _ = o.Close() }) // Nobody reads it any more.
	if err != nil {
		s.end()
		return nil, o.info, err
	}
	s.busy(0)
	return &body{o.ReadCloser, s, p}, o.info, nil
}

// body is an object that is being read.
type body struct {
	r io.ReadCloser
	s *silence
	p patient
}

// mouthful is how much is read before it is paid for.
const mouthful = 64 << 10

// mouths are what is read into: a read that hangs keeps what it was given.
var mouths = sync.Pool{New: func() any { return new([mouthful]byte) }}

func (b *body) Read(to []byte) (int, error) {
	type bite struct {
		of *[mouthful]byte
		n  int
	}
	want := min(len(to), mouthful)
	b.s.heard()
	got, err := wait(b.s, func() (bite, error) {
		of := mouths.Get().(*[mouthful]byte)
		n, err := b.r.Read(of[:want])
		return bite{of, n}, err
	}, nil)
	b.s.busy(time.Duration(got.n) * perByte)
	if got.of != nil {
		copy(to, got.of[:got.n])
		mouths.Put(got.of)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return got.n, err
	}
	if paid := b.p.pace.pay(b.s.parent, got.n, b.p.urgent); paid != nil {
		return got.n, paid
	}
	return got.n, err
}

// Close does not wait for long: a store may hang in that, too.
func (b *body) Close() error {
	b.s.end()
	s := b.p.calls.listen(context.WithoutCancel(b.s.parent))
	defer s.end()
	s.timer.Reset(grace)
	_, err := wait(s, func() (struct{}, error) { return struct{}{}, b.r.Close() }, nil)
	return err
}
