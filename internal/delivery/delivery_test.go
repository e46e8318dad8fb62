package delivery

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"go.opentelemetry.io/collector/pdata/plog"
)

func TestObjectsRoundTrip(t *testing.T) {
	want := Objects{Segment: []byte("segment"), Tiles: [][]byte{[]byte("one"), []byte("two")}, Seal: []byte("seal")}
	m, err := Read(want.Logs())
	if err != nil || m.Objects == nil || m.Probe != nil {
		t.Fatalf("Read: %+v, %v", m, err)
	}
	if got := fmt.Sprintf("%s", *m.Objects); got != fmt.Sprintf("%s", want) {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestEmptiedObjectsAreNotIgnored(t *testing.T) {
	m, err := Read((&Objects{Segment: nil, Seal: nil}).Logs())
	if err == nil && m.Objects == nil {
		t.Error("a segment whose bytes were lost on the way is taken for none of the exporter's business")
	}
}

func TestProbeRoundTrip(t *testing.T) {
	for _, want := range []Probe{{Log: "web", Origin: "custody.example/web"}, {Seal: []byte("custody-seal/v1\n"), Stored: 7}} {
		m, err := Read(want.Logs())
		if err != nil || m.Probe == nil || fmt.Sprint(*m.Probe) != fmt.Sprint(want) {
			t.Errorf("probe %+v reads as %+v, %v", want, m.Probe, err)
		}
	}
}

func TestSplitAndStrangeMessages(t *testing.T) {
	drop := func(event string) plog.Logs {
		ld := (&Objects{Segment: []byte("a"), Tiles: [][]byte{[]byte("t")}, Seal: []byte("b")}).Logs()
		ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().RemoveIf(func(lr plog.LogRecord) bool { return lr.EventName() == event })
		return ld
	}
	plain := plog.NewLogs()
	plain.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr("hello")
	merged := (&Objects{Segment: []byte("a"), Seal: []byte("b")}).Logs()
	(&Objects{Segment: []byte("c"), Seal: []byte("d")}).Logs().ResourceLogs().MoveAndAppendTo(merged.ResourceLogs())
	if _, err := Read(merged); !errors.Is(err, errMerged) {
		t.Errorf("two segments in one message: %v", err)
	}
	for name, ld := range map[string]plog.Logs{"without seal": drop(EventSeal), "without segment": drop(EventSegment), "unsealed": plain} {
		if _, err := Read(ld); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := Read(plain); !errors.Is(err, ErrUnsealed) {
		t.Errorf("unsealed records: %v", err)
	}
	if m, err := Read(Checkpoint([]byte("note"))); err != nil || m.Objects != nil || m.Probe != nil {
		t.Errorf("a checkpoint is none of an exporter's business, got %+v, %v", m, err)
	}
}

func TestBook(t *testing.T) {
	ctx, book := WithBook(t.Context())
	if !book.Complete(0) || book.Complete(1) {
		t.Error("an empty book is complete for no store only")
	}
	Asked(ctx, "a")
	Asked(ctx, "b")
	Receipt(ctx, "a")
	if given, asked := book.Count(); given != 1 || asked != 2 || book.Complete(1) {
		t.Errorf("one of two receipts: %d of %d, complete %v", given, asked, book.Complete(1))
	}
	Receipt(ctx, "b")
	Asked(ctx, "b") // Asking again takes nothing back.
	if !book.Complete(2) || book.Complete(3) {
		t.Error("two of two receipts are complete for up to two stores")
	}
	Receipt(context.Background(), "c") // Without a book: nothing happens.
}

func TestWaker(t *testing.T) {
	Waker(t.Context())() // Nobody to wake.
	woken := 0
	ctx, _ := WithBook(WithWake(t.Context(), func() { woken++ }))
	Waker(ctx)()
	Waker(context.WithoutCancel(ctx))()
	if woken != 2 {
		t.Errorf("woken %d times, want 2", woken)
	}
}
