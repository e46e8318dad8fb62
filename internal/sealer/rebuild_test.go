package sealer

import (
	"fmt"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/internal/durable/durabletest"
	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/segment"
)

// More records are sealed again than a segment takes: they are divided, and each
// stands where the recovery record says.
func TestRebuildDivides(t *testing.T) {
	c := Config{Log: "web", Signer: testSigner(t, "a"), Dir: "/state", Software: "custody/test", FS: durabletest.New(), Now: time.Now}
	if err := c.FS.Mkdir(c.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	place := seal.Genesis(c.Log, c.Signer.Name(), c.Signer.VerifierKey(), [32]byte{1})
	r := NewRebuild(c, place)
	n := ledger.MaxRecords + 10
	var records []Former
	for i := range n {
		f := Former{Source: "a", Line: fmt.Appendf(nil, `{"body":"event %d"}`, i), Position: uint64(5 + i), Known: true}
		if i == 7 {
			f.Known = false
		}
		records = append(records, f)
	}
	r.Again(records)
	r.Note = []byte("{}")
	if err := r.Write("before-recover-x", []byte(`{"body":"recovery"}`)); err != nil {
		t.Fatal(err)
	}
	st, err := openState(&c)
	if err != nil {
		t.Fatal(err)
	}
	lines := journalled(t, &c, st)
	if len(st.closed) != 2 || lines[0] != `{"body":"recovery"}` {
		t.Errorf("%d closed journals, want 2; the first line is %s", len(st.closed), lines[0])
	}
	at := 0
	for _, p := range r.Places() {
		for k := range p.Count {
			if want := fmt.Sprintf(`{"body":"event %d"}`, at); lines[p.First+k] != want || p.Known && p.Position+k != uint64(5+at) {
				t.Fatalf("record %d is %s, want %s, formerly at %d", p.First+k, lines[p.First+k], want, p.Position+k)
			}
			at++
		}
	}
	if at != n || len(lines) != n+1+len(st.closed) {
		t.Errorf("%d records have a place, of %d that are journalled; want %d", at, len(lines), n)
	}
}

// journalled are the lines of all journals, which must continue each other.
func journalled(t *testing.T, c *Config, st *state) (lines []string) {
	t.Helper()
	firsts := append(append([]uint64{}, st.closed...), st.at.edge.Size())
	for _, first := range firsts {
		if first != uint64(len(lines)) {
			t.Errorf("a journal begins at %d, want %d", first, len(lines))
		}
		content, err := readJournal(c.FS, journalPath(c.Dir, first))
		if err != nil {
			t.Fatal(err)
		}
		size, records := 0, 0
		for _, g := range content.groups {
			for _, line := range segment.Lines(g.lines) {
				lines = append(lines, string(line))
			}
			size += len(g.lines)
			records += g.count()
		}
		if size > ledger.MaxLines || records > ledger.MaxRecords {
			t.Errorf("a segment would have %d records in %d bytes", records, size)
		}
	}
	return lines
}
