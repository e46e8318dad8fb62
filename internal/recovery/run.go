package recovery

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/otelcol-custody/custody/internal/sealer"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/tree"
)

// run is one recovery. Its fields fill from top to bottom.
type run struct {
	*Options
	keys   *checkpoint.Keys
	given  []claim
	found  *sealer.Salvage
	stores []*history
	course *course
	whole  bool // the state directory is, and no store that was read knows more
	plan   *sealer.Rebuild

	reasons []string // what speaks against going on, and AcceptLoss overrides
	final   []string // and what it does not override
	causes  []error  // of stores that could not be read
	theirs  []error  // what stores said, in their own words
	rest    []sealer.Former
	losing  []loss
	before  *resealed // by earlier recoveries; nil until it is asked for
	vouched *claim    // the newest memory that agrees
	report  *Report
	roots   []tree.Hash // of the report's checkpoints
}

func recoverLocked(ctx context.Context, o *Options) (*Report, error) {
	if report, err := finish(o); report != nil || err != nil {
		return report, err
	}
	r := &run{Options: o}
	for _, step := range []func(context.Context) error{r.look, r.choose, r.keep, r.judge, r.end, r.decide, r.collect, r.accept, r.rebuild} {
		if err := step(ctx); err != nil {
			return r.report, err
		}
	}
	return r.report, nil
}

// finish ends a recovery that was interrupted once its outcome was fixed.
func finish(o *Options) (*Report, error) {
	if o.DryRun {
		return nil, sealer.Interrupted(o.config())
	}
	note, err := sealer.FinishRebuild(o.config())
	if note == nil || err != nil {
		return nil, err
	}
	report := &Report{}
	if err := json.Unmarshal(note, report); err != nil {
		return nil, fmt.Errorf("the recovery that was interrupted is finished; its report cannot be read: %w", err)
	}
	return report, nil
}

// look reads everything and judges nothing.
func (r *run) look(ctx context.Context) (err error) {
	if r.keys, err = checkpoint.ParseKeys(r.Signer.VerifierKey()); err != nil {
		return err
	}
	if r.given, err = given(r.Options, r.keys); err != nil {
		return err
	}
	if r.found, err = sealer.Salvaging(r.config()); err != nil {
		return err
	}
	r.stores = readStores(ctx, r.Options, r.keys)
	return ctx.Err()
}

// choose takes the history that the log goes on from.
func (r *run) choose(context.Context) error {
	var rivals []*history
	r.course, rivals = longest(r.stores)
	for _, h := range rivals {
		r.final = append(r.final, fmt.Sprintf("stores %s and %s hold different histories of the same size, %d: take the one that you do not believe out of the configuration, keep a copy of it, and run recover again", r.course.from.id, h.id, h.end()))
	}
	if err := r.join(); err != nil {
		return err
	}
	r.judgeStores()
	return nil
}

// join adds what the state directory has behind the stores' history.
func (r *run) join() (err error) {
	if r.whole, err = r.isWhole(); err != nil {
		return err
	}
	switch {
	case r.whole:
		return r.course.adopt(r.found.Seals)
	case !r.anyRead():
		return r.course.resume(r.found.Seals)
	}
	return r.course.extend(r.found, r.genesis())
}

func (r *run) anyRead() bool {
	for _, h := range r.stores {
		if h.err == nil || len(h.marks) > 0 {
			return true
		}
	}
	return false
}

// isWhole says whether the state directory can be started with and no store that
// was read has anything that it does not know.
func (r *run) isWhole() (bool, error) {
	if r.found.Trouble != nil {
		return false, nil
	}
	end := uint64(0)
	for i := range r.found.Seals {
		end = r.found.Seals[i].Head.End()
	}
	for _, h := range r.stores {
		if h.fork != nil || h.end() > end || h.head != nil && r.found.Nonce != nil && h.head.Nonce != *r.found.Nonce {
			return false, nil
		}
		for i := range r.found.Seals {
			if ok, err := h.allows(&r.found.Seals[i]); !ok || err != nil {
				return false, err
			}
		}
	}
	return true, nil
}

// keep takes over what continues the history, and notes what does not.
func (r *run) keep(ctx context.Context) error {
	place, err := r.place()
	if err != nil {
		return err
	}
	r.plan = sealer.NewRebuild(r.config(), place)
	r.plan.Head = r.course.head
	for _, j := range r.found.Journals {
		if err := r.keepJournal(ctx, j); err != nil {
			return err
		}
	}
	for i := range r.found.Orphans {
		if o := &r.found.Orphans[i]; !r.course.took(o.File) {
			r.rest = append(r.rest, o.Records()...)
		}
	}
	g := r.gather(ctx)
	if err := g.add(r.rest); err != nil {
		return err
	}
	r.rest = g.out // without what is sealed at its place
	return nil
}

func (r *run) keepJournal(ctx context.Context, j *sealer.SalvagedJournal) error {
	if err := r.locate(ctx, j); err != nil {
		return err
	}
	if !r.plan.Keep(j) {
		good, err := j.Good()
		if err != nil {
			return err
		}
		r.rest = append(r.rest, good...)
	}
	r.rest = append(r.rest, j.Strays()...)
	return r.countLost(ctx, j)
}

// countLost speaks up if a journal tells of more than can be read in it, and no
// seal of its segment is left.
func (r *run) countLost(ctx context.Context, j *sealer.SalvagedJournal) error {
	lost := j.Lost()
	if lost == 0 {
		return nil
	}
	first, _ := j.First()
	for i := range r.found.Seals {
		if s := &r.found.Seals[i]; s.Whole && s.Head.First == first {
			return nil
		}
	}
	if v, err := r.course.at(ctx, first); err != nil || v != nil && j.SealedAs(v) {
		return err
	}
	r.reasons = append(r.reasons, fmt.Sprintf("%s has lost acknowledged writes, each of a record or more: %d at least cannot be read in it any more. Put a copy of the file in its place if there is one, or give --accept-loss", j.Name(), lost))
	return nil
}

// locate finds out the positions of a journal's records behind damage, if a seal
// of its segment is left. Without them a record that is sealed already could not
// be told from one that is not.
func (r *run) locate(ctx context.Context, j *sealer.SalvagedJournal) error {
	first, ok := j.First()
	if !ok || j.Intact() {
		return nil
	}
	for i := range r.found.Seals {
		s := &r.found.Seals[i]
		if s.Head.First != first || r.course.has(markOf(s)) {
			continue
		}
		v, err := s.Open()
		if err != nil {
			return err
		}
		j.Locate(v)
	}
	v, err := r.course.at(ctx, first)
	if v == nil || err != nil {
		return err
	}
	if !j.Headed() && r.course.from != nil && v.First == first {
		if object, _, err := r.course.from.reader.Segment(ctx, v); err == nil {
			j.Rehead(v, object) // Else its records are sealed again, perhaps twice, and none is lost.
		}
	}
	j.Locate(v)
	return nil
}

// place is where the sealed history ends.
func (r *run) place() (seal.Place, error) {
	switch {
	case r.course.head != nil:
		return r.course.head.Place(), nil
	case r.found.Nonce != nil:
		return r.genesis(), nil
	case len(r.found.Journals) == 0 || len(r.causes) > 0:
		return seal.Place{}, r.noSeal()
	}
	r.reasons = append(r.reasons, "the log's beginning is lost: no store has a seal of it and the identity cannot be read. --accept-loss begins the log anew, and seals the records that can be read in it")
	var nonce [32]byte
	_, _ = rand.Read(nonce[:]) // It never fails (crypto/rand).
	return seal.Genesis(r.Log, r.Signer.Name(), r.Signer.VerifierKey(), nonce), nil
}

// genesis is the log's beginning, if the state directory knows it.
func (r *run) genesis() (p seal.Place) {
	if r.found.Nonce != nil {
		p = seal.Genesis(r.Log, r.Signer.Name(), r.Signer.VerifierKey(), *r.found.Nonce)
	}
	return p
}

// noSeal says that there is nothing to go on from; stores that could not be read
// come first, since they may have it.
func (r *run) noSeal() error {
	if len(r.causes) > 0 {
		return errors.Join(r.causes...)
	}
	return fmt.Errorf("%w (log %s, key %s)", ErrNoSeal, r.Log, r.Signer.ID())
}

// judge holds every claim against what would be kept, and begins the report.
func (r *run) judge(ctx context.Context) error {
	r.begin()
	if len(r.stores) == 0 {
		r.reasons = append(r.reasons, "no store was named, and the log's stores may remember more: name them with --store, or give --accept-loss")
	}
	state, err := remembered(r.keys, r.found, r.course)
	if err != nil {
		return err
	}
	for _, k := range slices.Concat(state, r.given, claimed(r.stores, r.course)) {
		v, err := verdict(ctx, k, r.course, r.plan)
		if err != nil {
			return err
		}
		r.enter(k, v)
	}
	if r.vouched == nil && !r.whole {
		r.reasons = append(r.reasons, "neither the state directory nor a checkpoint kept elsewhere vouches for what the stores hold: whoever truncated them would go unnoticed. Give a kept one with --checkpoint, or --accept-loss")
	}
	if r.displaced() && (r.vouched == nil || r.vouched.says != (mark{})) {
		r.reasons = append(r.reasons, "journals are damaged or missing, or their records lose their places, and without the state directory's checkpoint nobody here knows what was shown of them: a checkpoint kept elsewhere may contradict what goes on. Give the newest with --checkpoint (one that is older than the newest seal here does not tell), or --accept-loss")
	}
	if r.otherGenesis() {
		r.reasons = append(r.reasons, "the state directory remembers another beginning of the log than the stores hold: it was begun anew by mistake, or the path is wrong. --accept-loss goes on from the stores and seals its records again")
	}
	return nil
}

// displaced says whether journals of the state directory hold what cannot keep
// its place, or may have held more, and the checkpoint that would tell is lost,
// too. A seal that is left knows nothing of what was journalled behind it.
func (r *run) displaced() bool {
	return r.found.Checkpoint == nil && (len(r.rest) > 0 || !r.found.Empty() && !r.complete())
}

// enter adds a claim to the report, and what it means.
func (r *run) enter(k claim, v string) {
	c := CheckpointReport{Source: k.source, Size: k.size, Root: k.root.String(), Verdict: v}
	if v != Agrees {
		c.Note = string(k.note)
	}
	r.report.Checkpoints, r.roots = append(r.report.Checkpoints, c), append(r.roots, k.root)
	switch v {
	case Agrees:
		if k.memory && (r.vouched == nil || k.size > r.vouched.size || k.size == r.vouched.size && k.says == (mark{})) {
			r.vouched = &k
		}
	case Ahead:
		r.reasons = append(r.reasons, fmt.Sprintf("%s remembers a log of %d records, and only %d can be kept in their places: the last %d were lost, taken away, or are sealed again behind. Look for what is missing (another store, a copy, the former state directory), or give --accept-loss", k.source, k.size, r.plan.Size(), k.size-r.plan.Size()))
	case Contradicts:
		r.reasons = append(r.reasons, fmt.Sprintf("%s says that the log of %d records had root %v, what is kept has another: these are two histories. Find out which one is true (docs/operations.md, \"A fork\"), or give --accept-loss", k.source, k.size, k.root))
	}
}

// decide refuses, or goes on.
func (r *run) decide(context.Context) error {
	r.report.Reasons = slices.Concat([]string{}, r.final, r.reasons)
	if len(r.final) > 0 || len(r.reasons) > 0 && !r.AcceptLoss && !(r.whole && r.harmless()) {
		return r.against()
	}
	if r.whole && r.harmless() {
		return r.clear()
	}
	return nil
}

// clear ends with nothing to do. A fork that the state directory remembers is
// forgotten once every store says that there is none.
func (r *run) clear() error {
	r.adviseWhole()
	if !r.found.Forked {
		return ErrNothingToDo
	}
	if len(r.causes) > 0 && !r.AcceptLoss {
		reason := fmt.Sprintf("a store held another history, and not every store could be read now (%v): take the one that was not meant out of the configuration, make the others readable, or give --accept-loss", errors.Join(r.causes...))
		r.report.Reasons = append(r.report.Reasons, reason)
		return r.against()
	}
	if !r.DryRun {
		if err := sealer.ForgetFork(r.config()); err != nil {
			return fmt.Errorf("state directory: %w", err)
		}
	}
	return ErrNothingToDo
}

// harmless says whether nothing speaks against a state directory that is whole:
// that a store cannot be read, or that nobody vouches, does not.
func (r *run) harmless() bool {
	for _, c := range r.report.Checkpoints {
		if c.Verdict == Ahead || c.Verdict == Contradicts {
			return false
		}
	}
	return len(r.final)+len(r.losing) == 0
}
