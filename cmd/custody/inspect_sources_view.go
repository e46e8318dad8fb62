package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// A sourceView is what a log says of one source: what a provider's own proofs say of what
// one receiver took up, and what is missing (docs/cli.md).
type sourceView struct {
	Receiver string           `json:"receiver"`
	Provider string           `json:"provider"`
	Product  string           `json:"product"`
	Chains   []*chainView     `json:"chains"`
	Findings []*sourceFinding `json:"findings"`
	Waiting  []waitingFile    `json:"waiting"`
	Keys     []*sourceKey     `json:"keys"`
	Excluded excludedView     `json:"excluded"`
}

// A chainView counts files by their last word, and holds the findings about times.
type chainView struct {
	Chain string `json:"chain"`
	chainID
	Digests int        `json:"digests_verified"`
	Files   int        `json:"files_verified"` // log files
	Failed  int        `json:"failed"`
	Gaps    int        `json:"gaps"`
	Unread  int        `json:"unread"`
	Waiting int        `json:"waiting"`
	From    *time.Time `json:"proven_from"`
	Until   *time.Time `json:"proven_until"` // the end of the newest verified digest

	times []*sourceFinding
}

func (c *chainView) add(digest bool, n int) {
	if digest {
		c.Digests += n
	} else {
		c.Files += n
	}
}

// proves enters the time of a verified digest.
func (c *chainView) proves(from, to time.Time) {
	if !from.IsZero() && (c.From == nil || from.Before(*c.From)) {
		c.From = &from
	}
	if !to.IsZero() && (c.Until == nil || to.After(*c.Until)) {
		c.Until = &to
	}
}

// The kinds of findings.
const (
	kindFailed = "failed" // a provider's proof does not hold
	kindGap    = "gap"    // something is missing, or nothing vouches for it
	kindUnread = "unread" // an object could not be read, or not whole
)

// A sourceFinding is what one record says is the matter.
type sourceFinding struct {
	Record   uint64     `json:"record"`
	Kind     string     `json:"kind"`
	Reason   string     `json:"reason"`
	Sentence string     `json:"sentence"`
	Chain    string     `json:"chain"`
	Object   string     `json:"object,omitempty"`
	Digest   string     `json:"digest,omitempty"`
	Want     string     `json:"want,omitempty"`
	Got      string     `json:"got,omitempty"`
	From     *time.Time `json:"from,omitempty"`
	To       *time.Time `json:"to,omitempty"`

	chain *chainView // of what is unread
}

func newFinding(index uint64, failed bool, b *sourceBody) *sourceFinding {
	f := &sourceFinding{Record: index, Kind: kindGap, Reason: b.Reason, Sentence: b.Sentence, Object: b.Object, Digest: b.Digest,
		Want: b.Want, Got: b.Got, From: known(b.From), To: known(b.To)}
	if failed {
		f.Kind = kindFailed
	}
	return f
}

// text is how many bytes the finding's own texts have.
func (f *sourceFinding) text() int {
	return len(f.Reason) + len(f.Sentence) + len(f.Object) + len(f.Digest) + len(f.Want) + len(f.Got)
}

// lasting says whether a finding stays when the file is proven later: it saw something
// else than what was signed. The others say that a proof lacked, which has come then: a
// key that signed, or a digest that lists the file.
func (f *sourceFinding) lasting() bool {
	return f.Kind == kindFailed && f.Reason != "key-unknown" && f.Reason != "log-unlisted"
}

// ofTime says whether a finding is about a time, not about a file: it may name the digest
// behind that time.
func (f *sourceFinding) ofTime() bool {
	return f.Object == "" || f.Kind == kindGap && strings.HasPrefix(f.Reason, "chain-")
}

// repeats says whether two findings say the same, as after a crash. What is said of a time
// without a file may go on, so that its end differs.
func (f *sourceFinding) repeats(g *sourceFinding) bool {
	same := func(a, b *time.Time) bool { return a == b || a != nil && b != nil && a.Equal(*b) }
	return f.Reason == g.Reason && f.Object == g.Object && f.Digest == g.Digest && f.Want == g.Want && f.Got == g.Got &&
		same(f.From, g.From) && (f.Object == "" || same(f.To, g.To))
}

type waitingFile struct {
	Record uint64 `json:"record"` // the first one that was taken from it
	Object string `json:"object"`
}

type sourceKey struct {
	Record      uint64     `json:"record"`
	Fingerprint string     `json:"fingerprint"`
	Region      string     `json:"region,omitempty"`
	From        *time.Time `json:"valid_from,omitempty"`
	To          *time.Time `json:"valid_to,omitempty"`
}

// An excludedView is what was left out on request.
type excludedView struct {
	Events     uint64              `json:"events"`
	Files      int                 `json:"files"`
	Principals []excludedPrincipal `json:"principals"`

	by map[string]uint64
}

type excludedPrincipal struct {
	ARN    string `json:"arn"`
	Events uint64 `json:"events"`
}

// known is nil for a time that is not stated.
func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// views are the sources of which the log says something, sorted.
func (r *sourceReader) views() []*sourceView {
	views := []*sourceView{}
	for _, src := range r.sources {
		if len(src.chains)+len(src.keys)+src.left.Files > 0 {
			views = append(views, src.view())
		}
	}
	slices.SortFunc(views, func(a, b *sourceView) int {
		return cmp.Or(cmp.Compare(a.Receiver, b.Receiver), cmp.Compare(a.Provider, b.Provider), cmp.Compare(a.Product, b.Product))
	})
	return views
}

func (src *source) view() *sourceView {
	v := &sourceView{Receiver: src.receiver, Provider: src.provider, Product: src.product,
		Chains: []*chainView{}, Findings: []*sourceFinding{}, Waiting: []waitingFile{}, Keys: []*sourceKey{}, Excluded: src.left}
	src.countFiles(v)
	for _, f := range slices.Concat(slices.Collect(maps.Values(src.lost)), slices.Collect(maps.Values(src.parts))) {
		f.chain.Unread++
		v.Findings = append(v.Findings, f)
	}
	for _, c := range src.chains {
		c.Gaps += len(c.times)
		v.Findings = append(v.Findings, c.times...)
		if !c.empty() {
			v.Chains = append(v.Chains, c)
		}
	}
	v.Keys = slices.AppendSeq(v.Keys, maps.Values(src.keys))
	v.Excluded.Principals = []excludedPrincipal{}
	for _, arn := range slices.Sorted(maps.Keys(src.left.by)) {
		v.Excluded.Principals = append(v.Excluded.Principals, excludedPrincipal{arn, src.left.by[arn]})
	}
	slices.SortFunc(v.Chains, func(a, b *chainView) int { return cmp.Compare(a.Chain, b.Chain) })
	slices.SortFunc(v.Findings, func(a, b *sourceFinding) int { return cmp.Compare(a.Record, b.Record) })
	slices.SortFunc(v.Waiting, func(a, b waitingFile) int { return cmp.Compare(a.Record, b.Record) })
	slices.SortFunc(v.Keys, func(a, b *sourceKey) int { return cmp.Compare(a.Record, b.Record) })
	return v
}

// countFiles enters the files whose last word is not "verified".
func (src *source) countFiles(v *sourceView) {
	for name, file := range src.open {
		failed := func(f *sourceFinding) bool { return f.Kind == kindFailed }
		switch {
		case slices.ContainsFunc(file.findings, failed):
			file.chain.Failed++
		case len(file.findings) > 0:
			file.chain.Gaps++
		default:
			file.chain.Waiting++
			v.Waiting = append(v.Waiting, waitingFile{file.first, name})
		}
		v.Findings = append(v.Findings, file.findings...)
	}
}

// empty says that nothing is left to be told of a chain, as of an account's and region's
// files once all of them are verified by the digests of a trail.
func (c *chainView) empty() bool {
	return c.Digests+c.Files+c.Failed+c.Gaps+c.Unread+c.Waiting == 0 && c.Until == nil
}

// remarks say what the numbers lack.
func (r *sourceReader) remarks() (list []string) {
	if n := r.bad.count; n > 0 {
		list = append(list, fmt.Sprintf("%s with the name of one about a source cannot be read as such; the first one is record %d", several(n, "record"), r.bad.first))
	}
	if r.full.findings+r.full.others > 0 {
		list = append(list, fmt.Sprintf("more is open than this command holds in memory: from record %d on, %s counted but not listed, and %s about sources not taken into account",
			r.full.from, several(r.full.findings, "finding"), several(r.full.others, "record")))
	}
	return list
}
