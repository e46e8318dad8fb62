package wormexport

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-custody/custody/internal/delivery"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/store/storetest"
)

func TestStoresInOrder(t *testing.T) {
	b := newBench(t, nil)
	chain := ledgertest.Chain(t, b.signer, 3, 1, 300, 65300, 2)
	if len(chain[3].Tiles) == 0 {
		t.Fatal("the chain completes no tile")
	}
	b.must(chain...)
	b.holds(chain...)
	var written []string
	for _, c := range b.store.Calls() {
		if c.Method == storetest.Put {
			kind := strings.Split(c.Name, "/")[1]
			written = append(written, kind)
		}
	}
	slices.Sort(written[6:8]) // In any order, and before the seal.
	want := []string{"segments", "seals", "segments", "seals", "segments", "seals", "segments", "tiles", "seals", "segments", "seals"}
	if !slices.Equal(written, want) {
		t.Errorf("written in the order %v, want %v", written, want)
	}
	if got := b.host.statuses(); len(got) != 0 {
		t.Errorf("reported %v", got)
	}
}

func TestRedeliveryCostsNoUpload(t *testing.T) {
	b := newBench(t, nil)
	chain := ledgertest.Chain(t, b.signer, 3, 2, 2)
	b.must(chain...)
	before := len(b.store.Calls())
	b.must(chain...)
	b.must(chain[1])
	if n := len(b.store.Calls()) - before; n != 0 {
		t.Errorf("redelivery made %d calls", n)
	}
	// After a restart the seals are read, nothing is written.
	again := newBench(t, b.mem)
	again.must(chain[1], chain[0], chain[2], chain[1])
	if n := again.puts(""); n != 0 {
		t.Errorf("redelivery after a restart made %d uploads", n)
	}
	more := ledgertest.Chain(t, b.signer, 3, 2, 2, 5)
	again.must(more[3])
	again.holds(more...)
}

func TestOthersBusiness(t *testing.T) {
	b := newBench(t, nil)
	emitted := plog.NewLogs()
	emitted.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Attributes().PutInt(delivery.AttrNumber, 7)
	for _, ld := range []plog.Logs{delivery.Checkpoint([]byte("note")), emitted, plog.NewLogs()} {
		ctx, book := delivery.WithBook(t.Context())
		if err := b.ConsumeLogs(ctx, ld); err != nil {
			t.Error(err)
		}
		if given, asked := book.Count(); given+asked != 0 {
			t.Errorf("asked %d, receipts %d", asked, given)
		}
	}
	stray := plog.NewLogs()
	stray.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr("hello")
	if err := b.send(stray); !errors.Is(err, delivery.ErrUnsealed) || errors.Is(err, delivery.ErrPending) {
		t.Errorf("got %v", err)
	}
	b.holds()
}

// Every flipped byte of a seal or tile is refused, and every 7th of a segment.
func TestFlippedBytesAreRefused(t *testing.T) {
	b := newBench(t, nil)
	s := ledgertest.Chain(t, b.signer, 65536)[0]
	o := objects(s)
	small := objects(ledgertest.Chain(t, b.signer, 5)[0])
	flip := func(what string, whole *delivery.Objects, part []byte, step int) {
		for i := 0; i < len(part); i += step {
			part[i] ^= 0x01
			_, err := check(whole, b.set.Keys)
			part[i] ^= 0x01
			if err == nil {
				t.Fatalf("%s: byte %d flipped: accepted", what, i)
			}
		}
	}
	small.Seal, small.Segment = bytes.Clone(small.Seal), bytes.Clone(small.Segment)
	flip("seal", small, small.Seal, 1)
	flip("segment", small, small.Segment, 1)
	flip("tile", o, o.Tiles[0], 997)
	o.Tiles[0][0] ^= 1
	wantAltered(t, b.send(o.Logs()))
	o.Tiles[0][0] ^= 1
	if got := b.host.statuses(); !slices.Equal(got, []componentstatus.Status{componentstatus.StatusRecoverableError}) {
		t.Errorf("reported %v", got)
	}
	b.holds()
	if err := b.send(o.Logs()); err != nil {
		t.Fatal(err)
	}
	if got := b.host.statuses(); got[len(got)-1] != componentstatus.StatusOK {
		t.Errorf("reported %v", got)
	}
}

func TestAlteredDeliveries(t *testing.T) {
	b := newBench(t, nil)
	chain := ledgertest.Chain(t, b.signer, 4, 65536)
	impostor := ledgertest.Chain(t, ledgertest.ImpostorOf(t, origin, "mallory"), 4)[0]
	other := ledgertest.Chain(t, ledgertest.Signer(t, "custody.example/other"), 4)[0]
	first, second := objects(chain[0]), objects(chain[1])
	for _, c := range []struct {
		name  string
		o     *delivery.Objects
		cause error // nil: any
	}{
		{"segments swapped", &delivery.Objects{Segment: second.Segment, Seal: first.Seal}, nil},
		{"seals swapped", &delivery.Objects{Segment: first.Segment, Seal: second.Seal}, nil},
		{"tile missing", &delivery.Objects{Segment: second.Segment, Seal: second.Seal}, seal.ErrInvalid},
		{"tile too many", &delivery.Objects{Segment: first.Segment, Seal: first.Seal, Tiles: second.Tiles}, seal.ErrInvalid},
		{"tile twice", &delivery.Objects{Segment: second.Segment, Seal: second.Seal, Tiles: append(slices.Clone(second.Tiles), second.Tiles...)}, seal.ErrInvalid},
		{"segment cut", &delivery.Objects{Segment: first.Segment[:len(first.Segment)-1], Seal: first.Seal}, nil},
		{"seal cut", &delivery.Objects{Segment: first.Segment, Seal: first.Seal[:len(first.Seal)-1]}, seal.ErrMalformed},
		{"seal longer", &delivery.Objects{Segment: first.Segment, Seal: append(bytes.Clone(first.Seal), 0)}, seal.ErrMalformed},
		{"noise", &delivery.Objects{Segment: []byte{0}, Seal: []byte{0}}, seal.ErrMalformed},
		{"same name, other key", objects(impostor), checkpoint.ErrUntrusted},
		{"other origin", objects(other), checkpoint.ErrUntrusted},
	} {
		err := b.send(c.o.Logs())
		var a *delivery.AlteredError
		if !errors.As(err, &a) || c.cause != nil && !errors.Is(err, c.cause) {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
	b.holds()
}

// What something in between split, filtered or repeated.
func TestIncompleteMessages(t *testing.T) {
	b := newBench(t, nil)
	s := ledgertest.Chain(t, b.signer, 65536)[0]
	for _, drop := range []string{delivery.EventSegment, delivery.EventSeal, delivery.EventTile} {
		ld := objects(s).Logs()
		ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().RemoveIf(func(lr plog.LogRecord) bool { return lr.EventName() == drop })
		if err := b.send(ld); err == nil || errors.Is(err, delivery.ErrPending) {
			t.Errorf("without %s: got %v", drop, err)
		}
	}
	ld := objects(s).Logs()
	extra := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().AppendEmpty()
	extra.Body().SetStr("stowaway")
	if err := b.send(ld); !errors.Is(err, delivery.ErrUnsealed) {
		t.Errorf("with a record too many: got %v", err)
	}
	b.holds()
}

func TestAlteredErrorSaysWhatDiffers(t *testing.T) {
	b := newBench(t, nil)
	s := ledgertest.Chain(t, b.signer, 4)[0]
	o := objects(s)
	o.Segment = append(bytes.Clone(o.Segment), 'x')
	err := b.send(o.Logs())
	want := fmt.Sprintf("segment 0 of log test: its seal says size in bytes %d, what arrived has %d", len(s.Object), len(s.Object)+1)
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	var se *SegmentError
	if !errors.As(err, &se) {
		t.Errorf("got %T", err)
	}
}

func TestSealsWaitForTheirPredecessor(t *testing.T) {
	b := newBench(t, nil)
	chain := ledgertest.Chain(t, b.signer, 3, 2, 4, 1)
	for range 2 {
		err := b.deliver(chain[2])
		wantPending(t, err)
		var lags *PredecessorError
		if !errors.As(err, &lags) || lags.First != 5 || lags.Near != 0 {
			t.Fatalf("got %v", err)
		}
	}
	if n := b.puts("segments/"); n != 1 {
		t.Errorf("the segment was uploaded %d times", n)
	}
	if n := b.puts("seals/"); n != 0 {
		t.Errorf("%d seals were written", n)
	}
	b.must(chain[0])
	var lags *PredecessorError
	if err := b.deliver(chain[2]); !errors.As(err, &lags) || lags.Near != 3 {
		t.Fatalf("got %v", err)
	}
	if err := b.deliver(chain[3]); !errors.Is(err, delivery.ErrPending) {
		t.Fatalf("got %v", err)
	}
	b.must(chain[1], chain[2], chain[3])
	b.holds(chain...)
	if n := b.puts("segments/"); n != 4 {
		t.Errorf("%d uploads of 4 segments", n)
	}
}

// Another exporter, of another gateway say, brought the store further.
func TestTwoExportersOneStore(t *testing.T) {
	one := newBench(t, nil)
	two := newBench(t, one.mem)
	chain := ledgertest.Chain(t, one.signer, 3, 2, 4, 1, 700, 2)
	one.must(chain[0])
	two.must(chain[1], chain[2])
	one.must(chain[3], chain[4])
	two.must(chain[5])
	one.must(chain...)
	one.holds(chain...)
}

func TestConcurrentDeliveries(t *testing.T) {
	b := newBench(t, nil, func(s *Settings) { s.Workers = 8 })
	chain := ledgertest.Chain(t, b.signer, 3, 2, 4, 1, 5, 6, 7, 8)
	errs := make(chan error)
	for _, s := range chain {
		for range 3 {
			go func() {
				for {
					err := b.ConsumeLogs(t.Context(), objects(s).Logs())
					if !errors.Is(err, delivery.ErrPending) {
						errs <- err
						return
					}
				}
			}()
		}
	}
	for range 3 * len(chain) {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	b.holds(chain...)
}
