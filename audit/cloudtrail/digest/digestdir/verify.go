// Package digestdir verifies a copy of a bucket, in a file system, by CloudTrail's digests.
//
// It reads account by account, region by region, in the order of days: what is remembered
// is two weeks of one region, however large the bucket.
package digestdir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/otelcol-custody/custody/audit/cloudtrail/digest"
)

// ErrNothing means that there is nothing to verify.
var ErrNothing = errors.New("no digest of CloudTrail was found")

const (
	// late is how much later, by its hour, the digest may come that vouches for another.
	late = 48 * time.Hour
	// remember is how many days are kept in memory at least.
	remember = 14 * 24 * time.Hour
	// unbounded is for memory: giving up a file would say something false about it.
	unbounded = 1 << 46
)

// Options say what is verified.
type Options struct {
	Keys []digest.Key
	// Bucket is the one that the copy's root is. "" learns it from the digests, or that
	// each bucket has a folder of its name.
	Bucket string
	// From and To choose digests by the end of their hour, log files by their minute. To
	// also demands that digests go on until then. Zero: no limit.
	From, To time.Time
	Unlisted time.Duration // as in [digest.Options]; 0: its default
	Workers  int           // files read at once; less than 1: 1
	Progress func(Progress)
}

// Progress is how far a verification is, in files.
type Progress struct {
	Done, Found, Bytes uint64 // Bytes are inflated
	Listed             bool   // Found is all there are
}

// Verify judges a copy. Objects lie at their keys; the metadata of a digest lies beside it,
// in a file with ".metadata.json" behind its name. An error is why it could not finish, and
// the report says what was found until then; [ErrNothing] if there is no digest.
func Verify(ctx context.Context, fsys fs.FS, opt Options) (*Report, error) {
	r := newReport()
	v := &verifier{fsys: fsys, opt: opt, report: r}
	if v.opt.Progress == nil {
		v.opt.Progress = func(Progress) {}
	}
	v.layout = &layout{fsys: fsys, from: opt.From, to: opt.To, places: map[digest.Scope][]place{}, listed: func(n uint64) {
		v.opt.Progress(Progress{Found: n})
	}}
	if err := v.layout.find(ctx); err != nil {
		return r, err
	}
	v.names = mapping{opt.Bucket}
	if opt.Bucket == "" {
		var err error
		if v.names, err = v.layout.learn(); err != nil {
			return r, err
		}
	}
	for _, s := range v.layout.scopes() {
		if err := v.scope(ctx, v.layout.places[s]); err != nil {
			return r, err
		}
	}
	v.strangers.note(r)
	if r.Counts[digest.DigestVerified] == 0 && len(r.Findings)+len(r.Unproven)+len(r.Unread) == 0 {
		return r, ErrNothing
	}
	return r, nil
}

type verifier struct {
	fsys      fs.FS
	opt       Options
	layout    *layout
	names     mapping
	report    *Report
	done      uint64
	strangers strangers
}

// scope judges all of an account in a region, day by day.
func (v *verifier) scope(ctx context.Context, places []place) error {
	j := digest.NewJudge(digest.Options{
		Start: v.opt.From, Late: late, Unlisted: v.opt.Unlisted, Remember: max(remember, 2*v.opt.Unlisted), MaxBytes: unbounded,
	})
	j.AddKeys(v.opt.Keys...)
	slices.SortStableFunc(places, func(a, b place) int { return a.day.Compare(b.day) })
	for i, p := range places {
		var err error
		if p.digest {
			err = v.digests(ctx, j, p.dir)
		} else {
			err = v.logs(ctx, j, p.dir)
		}
		if err != nil {
			return err
		}
		if i+1 == len(places) || places[i+1].day.After(p.day) {
			v.report.add(j.Settle(p.day.Add(24 * time.Hour)).Outcomes)
		}
	}
	v.report.add(j.Finish(v.opt.To).Outcomes)
	return nil
}

// files are the regular files of a folder that a function takes, and their paths.
func (v *verifier) files(ctx context.Context, dir string, take func(o digest.Object) bool) ([]string, error) {
	entries, err := fs.ReadDir(v.fsys, dir)
	if err == nil {
		err = ctx.Err()
	}
	var list []string
	for _, e := range entries {
		p := path.Join(dir, e.Name())
		switch {
		case strings.HasSuffix(p, metadataSuffix):
			v.did(0)
		case !e.Type().IsRegular():
			v.strangers.add(p)
			v.did(0)
		case !take(v.names.object(p)):
			v.did(0)
		default:
			list = append(list, p)
		}
	}
	return list, err
}

func (v *verifier) did(bytes uint64) {
	v.done++
	v.report.Bytes += bytes
	v.opt.Progress(Progress{Done: v.done, Found: v.layout.found, Bytes: v.report.Bytes, Listed: true})
}

func (v *verifier) within(t time.Time, open bool) bool {
	return (t.After(v.opt.From) || !open && t.Equal(v.opt.From)) && (v.opt.To.IsZero() || !t.After(v.opt.To))
}

func (v *verifier) digests(ctx context.Context, j *digest.Judge, dir string) error {
	ends := map[string]time.Time{}
	list, err := v.files(ctx, dir, func(o digest.Object) bool {
		n, err := digest.ParseName(o.Key)
		if err != nil {
			v.strangers.add(o.Key)
			return false
		}
		ends[o.Key] = n.End
		return v.within(n.End, true)
	})
	slices.SortStableFunc(list, func(a, b string) int {
		return ends[v.names.object(a).Key].Compare(ends[v.names.object(b).Key])
	})
	for _, p := range list {
		o := v.names.object(p)
		a := digest.Arrival{Object: o, At: ends[o.Key]}
		var unread error
		if a.Inflated, unread = readDigest(v.fsys, p); unread == nil {
			a.Signature, a.Algorithm, unread = readMetadata(v.fsys, p)
		}
		if unread != nil {
			v.report.unread(o, unread)
		} else {
			v.report.add(j.Digest(a).Outcomes)
		}
		v.did(0)
	}
	return err
}

func (v *verifier) logs(ctx context.Context, j *digest.Judge, dir string) error {
	minutes := map[string]time.Time{}
	list, err := v.files(ctx, dir, func(o digest.Object) bool {
		n, err := digest.ParseLogName(o.Key)
		if err != nil {
			v.strangers.add(o.Key)
			return false
		}
		minutes[o.Key] = n.Minute
		return v.within(n.Minute, false)
	})
	for chunk := range slices.Chunk(list, 256) {
		for i, h := range v.hashAll(chunk) {
			o := v.names.object(chunk[i])
			if h.err != nil {
				v.report.unread(o, h.err)
			} else {
				v.report.add(j.Log(digest.Delivery{Object: o, Hash: h.hash, At: minutes[o.Key]}).Outcomes)
			}
			v.did(h.bytes)
		}
		if ctx.Err() != nil {
			return fmt.Errorf("stopped: %w", ctx.Err())
		}
	}
	return err
}

// hashAll hashes log files, several at once.
func (v *verifier) hashAll(list []string) []hashed {
	results := make([]hashed, len(list))
	next := make(chan int, len(list))
	for i := range list {
		next <- i
	}
	close(next)
	var wg sync.WaitGroup
	for range min(max(v.opt.Workers, 1), len(list)) {
		wg.Go(func() {
			for i := range next {
				results[i] = hashLog(v.fsys, list[i])
			}
		})
	}
	wg.Wait()
	return results
}
