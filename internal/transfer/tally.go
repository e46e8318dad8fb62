package transfer

import (
	"sync"

	"github.com/otelcol-custody/custody/store"
)

// A tally takes what the workers on one log report.
type tally struct {
	tell func(Progress) // may be nil

	mu       sync.Mutex // guards what follows
	report   *Report
	progress Progress
}

func newTally(log string, opt Options) *tally {
	return &tally{tell: opt.Progress, report: newReport(log), progress: Progress{Log: log}}
}

// add enters what became of an item.
func (t *tally) add(o outcome) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.report.add(o)
	t.progress.Done++
	t.progress.Bytes += o.bytes
	t.show()
}

// skip enters objects of so many items that need no work.
func (t *tally) skip(objects, items uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.report.Skipped += objects
	t.progress.Done += items
	t.show()
}

// fail enters an object, or a folder, that could not be dealt with.
func (t *tally) fail(name string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.report.fail(name, err)
	t.show()
}

func (t *tally) find(f Finding) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.report.add(outcome{findings: []Finding{f}})
}

// foreign enters an object that is none of the log's. In a folder of seals or
// segments only somebody else can have put it (spec §11, step 5); f is nil for
// what lies beside the folders.
func (t *tally) foreign(f *folder, infos ...store.Info) {
	t.mu.Lock()
	defer t.mu.Unlock()
	o, info := outcome{foreign: 1}, infos[0]
	switch {
	case !readable(infos):
		o.notice(Foreign, info, "its name is not one of the format, and a delete marker is all that is left; left out")
	case f == sealFolder || f == segmentFolder:
		o.findings = []Finding{{Code: ForeignObject, Object: info.Name, Message: "it is not an object of the log; left out"}}
	default:
		o.notice(Foreign, info, "its name is not one of the format; left out")
	}
	t.report.add(o)
}

// found counts items that were listed; all says that there are no more.
func (t *tally) found(n uint64, all bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.progress.Found += n
	t.progress.Listed = all
	if all {
		t.show()
	}
}

// show tells the progress. The caller holds mu.
func (t *tally) show() {
	if t.tell != nil {
		t.tell(t.progress)
	}
}

// close ends the report, which is the caller's then.
func (t *tally) close() *Report {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.report.found = t.progress.Found
	t.report.close()
	return t.report
}

func (o *outcome) notice(code Code, info store.Info, message string) {
	o.notices = append(o.notices, Notice{Code: code, Object: info.Name, Version: info.Version, Message: message})
}
