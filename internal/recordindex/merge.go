package recordindex

import (
	"iter"
	"path/filepath"
	"slices"
)

// due is where the runs begin that are to be merged, or -1: the last ones, if
// there are many of about one size.
func (x *Index) due() int {
	from := len(x.runs) - fanIn
	if from < 0 {
		return -1
	}
	total, least := 0, x.runs[len(x.runs)-1].count
	for _, s := range x.runs[from:] {
		if total += s.count; s.count > fanIn/2*max(least, x.opt.recent/fanIn) {
			return -1
		}
	}
	// So large that to forget one of them is to forget a part.
	if total > min(maxMerged, int(x.opt.Limit/fanIn/entryBytes)) {
		return -1
	}
	return from
}

// merge makes one run of those from one on. The caller holds writing.
func (x *Index) merge(from int) error {
	old := x.open[from:]
	n := 0
	for _, r := range old {
		n += r.count
	}
	return x.replace(from, old[0].from, old[len(old)-1].to, n, merged(old), old)
}

// replace writes a run and puts it in the place of old ones, which follow each
// other from one on. The caller holds writing.
func (x *Index) replace(at int, from, to uint64, count int, sorted iter.Seq2[entry, error], old []*run) error {
	s := span{x.next, count, from, to}
	r, err := x.writeRun(s, sorted)
	if err != nil {
		return err
	}
	m := x.manifest
	m.next++
	m.runs = slices.Concat(m.runs[:at], []span{s}, m.runs[at+len(old):])
	m.through = max(m.through, to)
	if err := x.become(m, slices.Concat(x.open[:at], []*run{r}, x.open[at+len(old):]), old); err != nil {
		_ = r.file.Close() // Only read from. The file stays: the manifest may name it.
		x.next = m.next
		return err
	}
	return nil
}

// forget leaves out the oldest runs beyond the limit.
func (x *Index) forget() error {
	m, n := x.manifest, 0
	for ; n < len(x.runs) && m.bytes() > x.opt.Limit; n++ {
		m.from, m.runs = x.runs[n].to, x.runs[n+1:]
	}
	if n == 0 {
		return nil
	}
	return x.become(m, slices.Clone(x.open[n:]), x.open[:n])
}

// become commits a manifest and its runs; those that are gone are removed.
func (x *Index) become(m manifest, open, gone []*run) error {
	before := x.manifest
	x.mu.Lock()
	defer x.mu.Unlock()
	x.manifest = m
	// Commit point. Before: the old runs are the index. After: the new ones.
	if err := x.save(); err != nil {
		x.manifest = before
		return err
	}
	x.open = open
	if m.through > before.through {
		x.recent = nil
	}
	for _, r := range gone {
		_ = r.file.Close()                                  // Only read from.
		_ = x.opt.FS.Remove(filepath.Join(x.dir, r.name())) // else the next start sweeps it
	}
	return nil
}

// merged yields the entries of runs in order.
func merged(runs []*run) iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		heads := make([]head, 0, len(runs))
		for _, r := range runs {
			next, stop := iter.Pull2(r.all())
			defer stop()
			h := head{next: next}
			if h.step() {
				heads = append(heads, h)
			}
		}
		for len(heads) > 0 {
			least := 0
			for i := range heads {
				if heads[i].compare(heads[least].entry) < 0 {
					least = i
				}
			}
			h := &heads[least]
			if !yield(h.entry, h.err) || h.err != nil {
				return
			}
			if !h.step() {
				heads = slices.Delete(heads, least, least+1)
			}
		}
	}
}

// head is the next entry of a run, or why there is none.
type head struct {
	entry
	err  error
	next func() (entry, error, bool)
}

func (h *head) step() (ok bool) {
	h.entry, h.err, ok = h.next()
	return ok
}
