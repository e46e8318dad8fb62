package recovery

import (
	"cmp"
	"path/filepath"
	"strings"
)

// begin fills what is known once it is clear what is kept.
func (r *run) begin() {
	r.report = &Report{
		Log: r.Log, Origin: r.Signer.Name(), Size: r.course.end(), Root: r.root().String(),
		Found: r.what(), Kept: r.plan.Kept(), Unreadable: r.found.Unreadable, DryRun: r.DryRun,
		Stores: []StoreReport{}, Checkpoints: []CheckpointReport{}, Reasons: []string{}, Advice: []string{},
	}
	if c := r.plan.LastClosed(); c != nil {
		r.report.LastClosed, r.report.NextBy = c.At, c.NextBy
	}
	for _, h := range r.stores {
		s := StoreReport{Store: h.id, Size: h.end(), Seals: uint64(len(h.marks)), Notices: h.notices}
		s.Missing = uint64(len(r.course.marks) - common(h.marks, r.course.marks))
		if h.head != nil {
			s.Root = h.head.After().Root.String()
		}
		if err := cmp.Or(h.err, forkOf(h)); err != nil {
			s.Error = err.Error()
		}
		r.report.Stores = append(r.report.Stores, s)
	}
}

func forkOf(h *history) error {
	if h.fork == nil {
		return nil
	}
	return h.fork
}

// what is the matter with the state directory.
func (r *run) what() string {
	switch {
	case r.found.Empty():
		return "the state directory is lost"
	case r.found.Trouble == nil && r.whole:
		return "the state directory is whole"
	case r.found.Trouble == nil:
		return "the state directory is whole, and the stores know another or a longer history"
	case len(r.found.Faults) > 0:
		return strings.Join(r.found.Faults, "; ")
	}
	text, _, _ := strings.Cut(r.found.Trouble.Error(), ". ")
	return r.here(text)
}

func (r *run) setAside() string { return filepath.Join(r.StateDir, r.report.SetAside) }
