package verify

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"sync"
	"time"

	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/tree"
)

// Options say how a log is verified.
type Options struct {
	Keys     *checkpoint.Keys
	Since    []checkpoint.Signed // kept from earlier; those of other origins are ignored
	Workers  int                 // segments checked at once; less than 1: one
	Now      time.Time           // against which expiry is judged
	Progress func(Progress)      // may be nil; called from several goroutines, one at a time
}

// Log verifies one log, whose folder is fsys and called name. The error is that
// of ctx; everything else is in the report. A log without a valid seal is held
// against no kept checkpoint: its origin is not known, and the caller must ask
// which of opt.Since no log of the store has claimed.
func Log(ctx context.Context, fsys fs.FS, name string, opt Options) (*Report, error) {
	w := &walk{ctx: ctx, fsys: fsys, opt: opt, report: &Report{Log: name}, jobs: make(chan *seal.Verified)}
	names, err := list(ctx, fsys)
	if err != nil {
		w.unread("%v", err)
		w.unlisted = true
	}
	w.names = names
	var workers sync.WaitGroup
	for range max(opt.Workers, 1) {
		workers.Go(w.checkSegments)
	}
	w.walk()
	close(w.jobs)
	workers.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	w.checkNames()
	w.checkSince()
	w.countUnlisted()
	w.listRecoveries()
	slices.SortStableFunc(w.report.Findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.First, b.First), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Object, b.Object))
	})
	slices.Sort(w.report.Unread)
	return w.report, nil
}

// walk is one verification of one log. The walking goroutine owns everything
// but what mu guards.
type walk struct {
	ctx   context.Context
	fsys  fs.FS
	opt   Options
	names *listing
	jobs  chan *seal.Verified

	head   *seal.Verified // the last valid seal
	sealed []named        // what valid seals name
	gaps   []gap
	roots  []rooted // roots at the sizes of opt.Since

	unreadTail bool // a seal behind head could not be read
	unlisted   bool // not every name of the log is known

	mu        sync.Mutex
	report    *Report
	found     map[Code]int
	recovered recoveries
	done      Progress
}

// rooted is a root that the walk computed for a kept checkpoint.
type rooted struct {
	since checkpoint.Signed
	root  tree.Hash
}

func (w *walk) find(f Finding) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f.Log = w.report.Log
	if f.Object != "" {
		f.Object = path.Join(f.Log, f.Object)
	}
	if w.found == nil {
		w.found = map[Code]int{}
	}
	if w.found[f.Code]++; w.found[f.Code] > maxFindings {
		return
	}
	w.report.Findings = append(w.report.Findings, f)
}

// maxFindings of one code are listed for a log, the others are counted: a wrong
// key makes every seal a finding.
const maxFindings = 100

func (w *walk) countUnlisted() {
	for code, n := range w.found {
		if n > maxFindings {
			w.notice("%d more findings %s in log %s are not listed", n-maxFindings, code, w.report.Log)
		}
	}
}

func (w *walk) notice(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.report.Notices = append(w.report.Notices, fmt.Sprintf(format, args...))
}

func (w *walk) unread(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.report.Unread = append(w.report.Unread, fmt.Sprintf(format, args...))
}

// take enters a valid seal and has its segment checked. Behind a gap the seal is
// taken on its own signature, as long as it is of the same log.
func (w *walk) take(v *seal.Verified, chained bool) {
	var tiles []tree.Tile
	var err error
	if chained {
		tiles, err = v.Follows(w.head)
	} else if w.head != nil {
		err = v.FollowsGap(w.head)
	}
	if err != nil {
		w.find(Finding{Code: SealChain, Object: v.Name(), First: v.First, End: v.End(), Message: err.Error()})
	}
	if w.head != nil && w.head.Closed().Ends() {
		w.find(Finding{Code: AfterEnd, Object: v.Name(), First: v.First, End: v.End(),
			Message: fmt.Sprintf("the log said at %s that it has ended, with record %d as its last", stamp(w.head.Closed().At), w.head.End()-1)})
	}
	w.checkTiles(tiles)
	w.rootsWithin(v, chained)
	if w.head != nil && v.Closed().At.Before(w.head.Closed().At) {
		w.notice("segment %d was closed at %s, before segment %d (%s): the log's clock went back", v.First,
			stamp(v.Closed().At), w.head.First, stamp(w.head.Closed().At))
	}
	w.head = v
	w.named(v)
	after := v.After()
	w.mu.Lock()
	r := w.report
	r.Origin, r.Head, r.CompleteUntil, r.NextBy, r.Ended = v.Origin, &after, v.Closed().At, v.Closed().NextBy, v.Closed().Ends()
	r.Segments++
	r.Records += uint64(v.Count)
	w.mu.Unlock()
	select {
	case w.jobs <- v:
	case <-w.ctx.Done():
	}
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// named enters the segment object that a valid seal names.
func (w *walk) named(v *seal.Verified) {
	w.sealed = append(w.sealed, named{v.First, [16]byte(v.Segment[:16])})
}

// rootsWithin computes the roots at kept sizes that lie within the segment, its
// end included. Behind a gap only that at its end is known.
func (w *walk) rootsWithin(v *seal.Verified, chained bool) {
	for _, s := range w.opt.Since {
		if s.Origin != v.Origin || s.Size > v.End() || s.Size <= v.First || !chained && s.Size != v.End() {
			continue
		}
		e := &tree.Edge{}
		if w.head != nil {
			e = w.head.Edge().Clone()
		}
		if s.Size == v.End() {
			e = v.Edge()
		}
		for i := 0; e.Size() < s.Size; i++ {
			e.Append(v.Link(i), nil)
		}
		w.roots = append(w.roots, rooted{s, e.Root()})
	}
}
