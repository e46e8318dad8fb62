package main

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/archive"
)

// A choice says which records of a log are wanted: all that any part of it means.
type choice struct {
	ranges     []indexRange
	ids, texts list
	closed     bool // and the closed records of their segments
}

// An indexRange is the records from first to last.
type indexRange struct{ first, last uint64 }

// parseRanges reads lists such as 3,7-9.
func parseRanges(lists []string) ([]indexRange, error) {
	var out []indexRange
	var total uint64
	if len(lists) == 0 {
		return nil, nil
	}
	for _, part := range strings.Split(strings.Join(lists, ","), ",") {
		from, to, isRange := strings.Cut(part, "-")
		if !isRange {
			to = from
		}
		first, err1 := strconv.ParseUint(from, 10, 63)
		last, err2 := strconv.ParseUint(to, 10, 63)
		if err1 != nil || err2 != nil || last < first {
			return nil, usagef("--index: %q is neither a record's number nor a range such as 7-9", part)
		}
		if total += min(last-first, ledger.MaxPackRecords) + 1; total > ledger.MaxPackRecords {
			return nil, usagef("--index: a pack holds at most %s; make several", several(ledger.MaxPackRecords, "record"))
		}
		out = append(out, indexRange{first, last})
	}
	return out, nil
}

// records are the indexes of the chosen records, sorted, none twice.
func (c *choice) records(ctx context.Context, l *archive.Log, bar *bar) ([]uint64, error) {
	var out []uint64
	for _, r := range c.ranges {
		if r.last >= l.Size() && len(l.Passed()) > 0 {
			return nil, fmt.Errorf("record %d: no valid seal covers it: %w", r.last, l.Passed()[0])
		}
		if r.last >= l.Size() {
			return nil, usagef("--index %d: it has %s, the last one is %d", r.last, several(l.Size(), "record"), l.Size()-1)
		}
		for i := r.first; i <= r.last; i++ {
			out = append(out, i)
		}
	}
	found, err := c.search(ctx, l, bar)
	if err != nil {
		return nil, err
	}
	out = append(out, found...)
	if c.closed {
		for _, i := range out {
			v, err := l.Covering(i)
			if err != nil {
				return nil, err
			}
			out = append(out, v.End()-1)
		}
	}
	slices.Sort(out)
	return tooMany(slices.Compact(out))
}

func tooMany(indexes []uint64) ([]uint64, error) {
	if n := len(indexes); n > ledger.MaxPackRecords {
		return nil, usagef("%s were chosen; a pack holds at most %s: choose fewer, or make several packs", several(n, "record"), number(ledger.MaxPackRecords))
	}
	return indexes, nil
}

// search reads the whole log, if it has to, for ids and texts.
func (c *choice) search(ctx context.Context, l *archive.Log, bar *bar) ([]uint64, error) {
	if len(c.ids)+len(c.texts) == 0 {
		return nil, nil
	}
	ids, texts, err := c.searches()
	if err != nil {
		return nil, err
	}
	missing, err := eachLine(ctx, l, func(line []byte, index uint64) {
		bar.show("%s of %s records searched", number(index), number(l.Size()))
		for _, r := range ids {
			r.look(line, index)
		}
		texts.look(line, index)
	})
	if err != nil {
		return nil, err
	}
	if missing > 0 {
		bar.clear()
		bar.e.note("%s not in this store: their records were not searched", several(missing, "segment"))
	}
	for _, r := range ids {
		index, err := r.result()
		if err != nil {
			return nil, err
		}
		texts.found = append(texts.found, index)
	}
	return texts.found, texts.missed()
}

func (c *choice) searches() (ids []*recordSearch, texts *textSearch, err error) {
	for _, id := range c.ids {
		r, err := newRecordSearch(id)
		if err != nil {
			return nil, nil, err
		}
		ids = append(ids, r)
	}
	texts, err = newTextSearch(c.texts)
	return ids, texts, err
}

// A textSearch looks for records that hold any of some texts, in a value or as
// their lines stand.
type textSearch struct {
	texts   []string
	needles [][2][]byte // each as it is given, and as lines write it
	met     []bool      // whether some record holds it
	found   []uint64
}

func newTextSearch(texts []string) (*textSearch, error) {
	t := &textSearch{texts: texts, met: make([]bool, len(texts))}
	for _, text := range texts {
		quoted, err := asWritten(text)
		if err != nil {
			return nil, usagef("--find: %v", err)
		}
		t.needles = append(t.needles, [2][]byte{[]byte(text), quoted[1 : len(quoted)-1]})
	}
	return t, nil
}

func (t *textSearch) look(line []byte, index uint64) {
	hit := false
	for i, needle := range t.needles {
		if bytes.Contains(line, needle[0]) || bytes.Contains(line, needle[1]) {
			t.met[i], hit = true, true
		}
	}
	if hit && len(t.found) <= ledger.MaxPackRecords {
		t.found = append(t.found, index)
	}
}

func (t *textSearch) missed() error {
	if i := slices.Index(t.met, false); i >= 0 {
		return fmt.Errorf("no record holds %q", t.texts[i])
	}
	return nil
}
