package recordindex

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/internal/durable/durabletest"
	"github.com/otelcol-custody/custody/internal/logproof"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/ledger/record"
	"github.com/otelcol-custody/custody/ledger/tree"
	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/storetest"
)

const origin = "custody.example/test"

func attr(key, value string) record.KeyValue {
	return record.KeyValue{Key: key, Value: record.StringValue(value)}
}

func line(t testing.TB, attributes ...record.KeyValue) []byte {
	t.Helper()
	b, err := record.AppendLine(nil, &record.Record{Attributes: attributes, EventName: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// lines are records with ids, and some that only look so.
func lines(t testing.TB) [][]byte {
	nested := record.KeyValue{Key: "a", Value: record.MapValue(attr(audit.AttrRecordID, "nested"))}
	number := record.KeyValue{Key: audit.AttrRecordID, Value: record.IntValue(7)}
	return [][]byte{
		line(t, attr(audit.AttrRecordID, "one"), attr(audit.AttrOriginalID, "first")),
		line(t, attr(audit.AttrRecordID, "two"), attr(audit.AttrRecordID, "duplicate")),
		line(t),
		line(t, nested, attr(audit.AttrRecordID, "three")),
		line(t, nested, attr("b", `"audit.record.id":"four"`)),
		line(t, number),
		line(t, attr(audit.AttrRecordID, "")),
		line(t, attr(audit.AttrRecordID, "one")),
		line(t, attr(audit.AttrRecordID, "not \xff UTF-8 \u001a \"quoted\"")),
		line(t, attr(audit.AttrOriginalID, "one")),
	}
}

// twice has an id twice, of which the first one is none.
func twice(t testing.TB) []byte {
	return line(t, record.KeyValue{Key: audit.AttrRecordID, Value: record.IntValue(7)}, attr(audit.AttrRecordID, "behind a number"))
}

func TestIDs(t *testing.T) {
	want := map[int][]ID{
		0:  {{0, RecordID, "one"}, {0, OriginalID, "first"}},
		1:  {{1, RecordID, "two"}},
		3:  {{3, RecordID, "three"}},
		7:  {{7, RecordID, "one"}},
		8:  {{8, RecordID, "not \xff UTF-8 \u001a \"quoted\""}},
		9:  {{9, OriginalID, "one"}},
		10: {{10, RecordID, "behind a number"}},
	}
	for i, line := range append(lines(t), twice(t)) {
		for _, got := range [][]ID{IDs(uint64(i), line), idsOfCanonical(uint64(i), line)} {
			if !slices.Equal(got, want[i]) {
				t.Errorf("record %d has %v, want %v", i, got, want[i])
			}
		}
	}
	if got := IDs(0, []byte(`{"audit.record.`)); got != nil {
		t.Errorf("what is no line has %v", got)
	}
}

// bench is an index of a log in a store.
type bench struct {
	t   *testing.T
	mem *storetest.Memory
	log *ledgertest.Log
	p   *logproof.Log
	x   *Index
}

func newBench(t *testing.T) *bench {
	s := ledgertest.Signer(t, origin)
	b := &bench{t: t, mem: storetest.NewMemory("test"), log: ledgertest.NewLog("test", s)}
	b.p = logproof.New(b.mem, "test", ledgertest.Keys(t, s), logproof.NewCache(1<<20), nil)
	b.x = open(t, Options{FS: durabletest.New(), Leaves: true, recent: 8})
	return b
}

func (b *bench) add(lines [][]byte) ledgertest.Segment {
	b.t.Helper()
	g := b.log.Extend(b.t, lines, nil)
	for name, data := range map[string][]byte{g.Seal.SegmentName(): g.Object, g.Seal.Name(): g.Seal.Bytes()} {
		if _, err := b.mem.PutOnce(b.t.Context(), "test/"+name, data, store.PutOptions{}); err != nil {
			b.t.Fatal(err)
		}
	}
	if err := b.p.Refresh(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
	return g
}

func (b *bench) fill() {
	b.t.Helper()
	if err := b.x.Fill(b.t.Context(), b.p); err != nil {
		b.t.Fatal(err)
	}
	if got, want := b.x.Through(), b.p.Head().End(); got != want {
		b.t.Fatalf("filled up to %d, want %d", got, want)
	}
}

func (b *bench) finds(kind Kind, text string, limit int, want ...uint64) {
	b.t.Helper()
	got, err := b.x.Find(b.t.Context(), b.p, kind, text, limit)
	if err != nil || !slices.Equal(got, want) {
		b.t.Errorf("%s %q: %v, %v, want %v", kind, text, got, err, want)
	}
}

func TestFind(t *testing.T) {
	b := newBench(t)
	one := b.add(lines(t)) // records 0 to 10
	two := b.add(lines(t)) // 11 to 21
	b.fill()
	b.add(lines(t)) // 22 to 32, not yet indexed
	b.finds(RecordID, "one", 9, 0, 7, 11, 18)
	b.finds(RecordID, "one", 3, 0, 7, 11)
	b.finds(OriginalID, "one", 9, 9, 20)
	b.finds(OriginalID, "first", 9, 0, 11)
	b.finds(RecordID, "three", 9, 3, 14)
	b.finds(RecordID, "nested", 9)
	b.finds(RecordID, "four", 9)
	b.finds(RecordID, "", 9)
	b.fill()
	b.finds(RecordID, "one", 9, 0, 7, 11, 18, 22, 29)
	for i, g := range []ledgertest.Segment{one, two} {
		for j := range g.Seal.Count {
			index, ok, err := b.x.Leaf(t.Context(), b.p, g.Seal.Link(j))
			if err != nil || !ok || index != g.Seal.First+uint64(j) {
				t.Errorf("leaf %d of segment %d: %d %v %v", j, i, index, ok, err)
			}
		}
	}
	if _, ok, err := b.x.Leaf(t.Context(), b.p, tree.Hash{1}); ok || err != nil {
		t.Errorf("a hash of nothing: %v", err)
	}
	// What is gone from the store is not found, and hides nothing else.
	b.mem.Erase("test/" + two.Seal.SegmentName())
	b.p = logproof.New(b.mem, "test", ledgertest.Keys(t, ledgertest.Signer(t, origin)), logproof.NewCache(0), nil)
	if err := b.p.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.finds(RecordID, "one", 9, 0, 7, 22, 29)
	if index, ok, err := b.x.Leaf(t.Context(), b.p, two.Seal.Link(3)); !ok || index != 14 {
		t.Errorf("its leaf: %v", err)
	}
}

// An index that is wrong is not believed: every answer is read.
func TestAnswersAreConfirmed(t *testing.T) {
	b := newBench(t)
	b.add(lines(t))
	var wrong []ID
	for p := range b.p.Head().End() {
		wrong = append(wrong, ID{p, RecordID, "one"}, ID{p, RecordID, "absent"}, ID{p, leaf, string(make([]byte, 32))})
	}
	if err := b.x.Add(0, b.p.Head().End(), append(wrong, ID{1 << 30, RecordID, "one"})); err != nil {
		t.Fatal(err)
	}
	b.finds(RecordID, "one", 9, 0, 7)
	b.finds(RecordID, "absent", 9)
	if _, ok, err := b.x.Leaf(t.Context(), b.p, tree.Hash{}); ok || err != nil {
		t.Errorf("a leaf that is none: %v", err)
	}
}

// A store that cannot be read, or contradicts the head, is an error and not "none".
func TestFindFails(t *testing.T) {
	b := newBench(t)
	g := b.add(lines(t))
	b.fill()
	f := storetest.NewFaulty(t, b.mem)
	b.p = logproof.New(f, "test", ledgertest.Keys(t, ledgertest.Signer(t, origin)), logproof.NewCache(0), nil)
	if err := b.p.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.SetDown(true)
	if got, err := b.x.Find(t.Context(), b.p, RecordID, "one", 9); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("away: %v, %v", got, err)
	}
	f.SetDown(false)
	b.mem.Erase("test/" + g.Seal.SegmentName())
	if _, err := b.mem.PutOnce(t.Context(), "test/"+g.Seal.SegmentName(), []byte("altered"), store.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	if got, err := b.x.Find(t.Context(), b.p, RecordID, "one", 9); err == nil {
		t.Errorf("altered: %v", got)
	}
	if err := open(t, Options{FS: durabletest.New()}).Fill(t.Context(), b.p); err == nil {
		t.Error("an index is made of what is altered")
	}
}

// FuzzIDs holds the ids that are entered against those that a line says it has.
func FuzzIDs(f *testing.F) {
	for _, l := range append(lines(f), twice(f)) {
		f.Add(l)
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		want := map[string]bool{}
		if r, err := record.ParseLine(line); err == nil {
			first := map[string]bool{}
			for _, kv := range r.Attributes {
				if (kv.Key == audit.AttrRecordID || kv.Key == audit.AttrOriginalID) && kv.Value.Kind == record.String && !first[kv.Key] {
					first[kv.Key] = true
					want[kv.Key] = kv.Value.Str != ""
				}
			}
		}
		maps.DeleteFunc(want, func(_ string, is bool) bool { return !is })
		got := IDs(0, line)
		for _, id := range got {
			if !want[id.Kind.String()] || !says(line, id.Kind, id.Text) {
				t.Errorf("%s has no %v", line, id)
			}
		}
		if len(got) != len(want) {
			t.Errorf("%s has %v, want %s", line, got, fmt.Sprint(want))
		}
		if cut := idsOfCanonical(0, line); record.CheckLine(line) == nil && !slices.Equal(cut, got) {
			t.Errorf("cut short, %s has %v, want %v", line, cut, got)
		}
	})
}
