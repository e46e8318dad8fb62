package transfer

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/otelcol-custody/custody/internal/delivery"
	"github.com/otelcol-custody/custody/internal/logstore"
	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/verify"
	"github.com/otelcol-custody/custody/store"
)

// ReplicateOptions say what is replicated and how.
type ReplicateOptions struct {
	Options
	Keys *checkpoint.Keys // the only ones that are believed
	Sink Sink             // stores into the same store that is compared with
	Now  func() time.Time // against which expiry is judged
}

// A Sink stores verified segments in a log's order; wormexport.Exporter is one.
type Sink interface {
	// Store stores a segment, its tiles and its seal. It waits for a segment
	// before that is being stored.
	Store(context.Context, *delivery.Objects) error
	// StoreExpired is Store without the segment.
	StoreExpired(context.Context, *delivery.Objects) error
}

// Replicate copies logs from one store into another, verifying on the way: each
// seal is opened with the keys and must follow the one before, each segment must
// be what its seal names, tiles are computed. It writes in the order that WORM
// exporters keep: segment and tiles, then the seal, seals one after the other.
//
// What to has by name is not sent again, nor verified. Where to lacks nothing of
// what from has up to to's newest seal, only what comes behind that is read.
//
// A log whose segment is missing before its time, altered, or that has another
// history in to, is a finding. Its copy ends there, since a seal without its
// segment would accuse to; other logs go on.
func Replicate(ctx context.Context, from, to store.Store, opt ReplicateOptions) (*Result, error) {
	return each(ctx, from, opt.Options, func(log string) (*Report, error) {
		r := &replica{tally: newTally(log, opt.Options), opt: opt, log: log, source: from, to: to}
		r.from = logstore.New(from, log, opt.Keys, r.met)
		r.there = logstore.New(to, log, opt.Keys, nil)
		err := r.run(ctx)
		return r.close(), err
	})
}

// A replica is the work on one log.
type replica struct {
	*tally
	opt    ReplicateOptions
	log    string
	source store.Store
	from   *logstore.Reader
	to     store.Store
	there  *logstore.Reader // of to

	tiles     map[string]bool // names that to has
	squatters []logstore.Notice
}

// run returns what every other log would meet, too. All else is in the report.
func (r *replica) run(ctx context.Context) error {
	size, err := r.copy(ctx)
	if err == nil {
		r.unsigned(size)
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if f, ok := finding(err); ok {
		r.find(f)
		return nil
	}
	if isAny(err, ending) || errors.Is(err, store.ErrRetention) || errors.Is(err, store.ErrDenied) {
		return err
	}
	r.fail(r.log, err)
	return nil
}

// copy returns the size up to which from has the log.
func (r *replica) copy(ctx context.Context) (uint64, error) {
	head, err := r.there.Head(ctx)
	if err != nil && !errors.Is(err, logstore.ErrNoLog) {
		return 0, err
	}
	var newest *seal.Verified
	if head != nil {
		newest = head.Seal
	}
	both, err := r.list(ctx, newest)
	if err != nil {
		return 0, err
	}
	if newest == nil || !both.whole {
		return r.walk(ctx, nil)
	}
	f, err := r.from.At(ctx, newest.First)
	if err != nil {
		return 0, err
	}
	if f.Same(newest) == nil { // They part somewhere before, or from is shorter.
		return r.walk(ctx, nil)
	}
	r.skip(both.objects, both.seals)
	return r.walk(ctx, newest)
}

// common is what two stores have by name up to a size.
type common struct {
	whole          bool   // the one written to lacks nothing
	objects, seals uint64 // seals among the objects
}

// list compares names up to the newest seal of to. It remembers the tiles that to
// has.
func (r *replica) list(ctx context.Context, newest *seal.Verified) (common, error) {
	both, size := common{whole: true}, uint64(0)
	if newest != nil {
		size = newest.End()
	}
	r.tiles = map[string]bool{}
	for _, f := range folders {
		for it, err := range joined(items(ctx, r.source, r.log, f, "", ignore), items(ctx, r.to, r.log, f, "", ignore)) {
			if err != nil {
				return both, err
			}
			there, here := readable(it.there), readable(it.here)
			if f == sealFolder && there {
				r.found(1, false)
			}
			if f == tileFolder && here {
				r.tiles[it.here[0].Name] = true
			}
			switch {
			case !there || !it.below(size):
			case !here:
				both.whole = false
			default:
				both.objects++
				if f == sealFolder {
					both.seals++
				}
			}
		}
	}
	r.found(0, true)
	return both, nil
}

// readable says whether there is a version to read.
func readable(infos []store.Info) bool {
	return slices.ContainsFunc(infos, func(info store.Info) bool { return !info.DeleteMarker })
}

// below says whether an item belongs to a log of this size.
func (it *item) below(size uint64) bool {
	if it.folder == tileFolder {
		dir, file, _ := strings.Cut(it.key, "/")
		level, _ := strconv.Atoi(dir)
		index, _ := ledger.ParseTileName(file)
		return index < size>>(8*(level+1))
	}
	first, err := strconv.ParseUint(it.key[:20], 10, 64)
	return err == nil && first < size
}

// met takes what the reader of from met and did not take.
func (r *replica) met(n logstore.Notice) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n.Kind == logstore.Squatter && len(r.squatters) < maxListed {
		r.squatters = append(r.squatters, n)
	}
	r.report.add(outcome{notices: []Notice{{Code: Code(n.Kind), Object: n.Object, Version: n.Version, Message: n.String()}}})
}

// unsigned enters what lies where the next seal belongs and is none. With the
// wrong key that is every seal.
func (r *replica) unsigned(size uint64) {
	for _, n := range r.squatters {
		first, _, _ := ledger.ParseSealName(path.Base(n.Object))
		if first >= size {
			r.find(Finding{Code: Code(verify.SealSignature), Object: n.Object, First: &first,
				Message: "no key given with --key signed what lies here as a seal of this log: it was altered, was planted, or the key is another log's"})
		}
	}
}

// finding makes a finding of an error that is one.
func finding(err error) (Finding, bool) {
	const rest = "; nothing behind it was copied"
	var part *partError
	var fork *logstore.ForkError
	var gap *logstore.GapError
	var altered *logstore.AlteredError
	var missing *missingError
	var forked *delivery.ForkError
	var malformed *malformedError
	switch {
	case errors.As(err, &malformed):
		return Finding{Code: malformed.code, Object: malformed.name, First: &malformed.first, Message: err.Error() + rest}, true
	case errors.As(err, &forked):
		return Finding{Code: Code(verify.Fork), Object: forked.Object, First: &forked.Size, Message: forked.Error() + rest}, true
	case errors.As(err, &part):
		return Finding{Code: Code(verify.Fork), Object: part.name, First: &part.first, Message: err.Error() + rest}, true
	case errors.As(err, &fork):
		return Finding{Code: Code(verify.Fork), Object: fork.Other.Object.Name, First: &fork.Other.Seal.First, Message: err.Error() + rest}, true
	case errors.As(err, &gap):
		return Finding{Code: Code(verify.SealMissing), Object: logstore.SealName(gap.Log, gap.First, 0), First: &gap.First, Message: err.Error() + rest}, true
	case errors.As(err, &altered):
		return Finding{Code: SegmentAltered, Object: altered.Object, First: &altered.First, Message: err.Error() + rest}, true
	case errors.As(err, &missing):
		return Finding{Code: Code(verify.SegmentMissing), Object: missing.name, First: &missing.first, Message: err.Error() + rest}, true
	}
	return Finding{}, false
}

// A partError means that two stores hold two histories of one log.
type partError struct {
	name  string // of the seal in to
	first uint64
	from  *seal.Verified
	to    *seal.Verified
}

func (e *partError) Error() string {
	return fmt.Sprintf("the two stores hold different histories of log %s from record %d on, both validly signed: the one read from continues to size %d, root %v, the one written to to size %d, root %v",
		e.from.Log, e.first, e.from.End(), e.from.After().Root, e.to.End(), e.to.After().Root)
}

// A malformedError means that sealed bytes are not a segment: whoever has the
// log's key sealed them so.
type malformedError struct {
	code   Code
	name   string
	first  uint64
	reason error
}

func (e *malformedError) Error() string {
	return fmt.Sprintf("what was sealed is not a segment of this log: %v", e.reason)
}

// A missingError means that a segment is gone before its time.
type missingError struct {
	name  string
	first uint64
	end   uint64
	until time.Time // zero: no retention was promised
}

func (e *missingError) Error() string {
	kept := "no retention of it has ended"
	if !e.until.IsZero() {
		kept = "it was to be kept until " + e.until.UTC().Format(time.RFC3339)
	}
	return fmt.Sprintf("the segment with records %d to %d is gone, and %s; copy the log from another store that has it", e.first, e.end-1, kept)
}
