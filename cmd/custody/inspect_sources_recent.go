package main

import "hash/maphash"

// A verifiedFile is where a file was counted.
type verifiedFile struct {
	chain  *chainView
	digest bool
}

// A recent knows verified files by a hash of their names: the latest ones, limit to twice
// that many.
type recent struct {
	seed      maphash.Seed
	limit     int
	now, past map[uint64]verifiedFile
}

func (r *recent) key(src *source, name string) uint64 {
	var h maphash.Hash
	h.SetSeed(r.seed)
	for _, s := range []string{src.receiver, src.provider, src.product} {
		_, _ = h.WriteString(s) // It never fails.
		_ = h.WriteByte(0)
	}
	_, _ = h.WriteString(name)
	return h.Sum64()
}

// has says whether a file is known.
func (r *recent) has(src *source, name string) bool {
	key := r.key(src, name)
	_, now := r.now[key]
	_, past := r.past[key]
	return now || past
}

// add makes a file known, and says whether it was not.
func (r *recent) add(src *source, name string, f verifiedFile) bool {
	if r.has(src, name) {
		return false
	}
	if r.now == nil || len(r.now) >= r.limit {
		r.now, r.past = map[uint64]verifiedFile{}, r.now
	}
	r.now[r.key(src, name)] = f
	return true
}

// take forgets a file, and returns it if it was known.
func (r *recent) take(src *source, name string) (f verifiedFile, ok bool) {
	key := r.key(src, name)
	for _, m := range []map[uint64]verifiedFile{r.now, r.past} {
		if f, ok = m[key]; ok {
			delete(m, key)
			return f, true
		}
	}
	return f, false
}
