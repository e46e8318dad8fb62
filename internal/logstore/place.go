package logstore

import (
	"context"
	"fmt"
	"iter"
	"path"
	"slices"
	"strings"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/store"
)

// A Place is where seals lie that begin at one record: what of their names and
// versions is read, listed and not read yet.
type Place struct {
	First uint64
	crowd
}

// Places lists the places of the log's seals from the one at from on, in order;
// delete markers hide none of them. Names that no seal can have are passed over.
func (r *Reader) Places(ctx context.Context, from uint64) iter.Seq2[Place, error] {
	// Strictly after the bare number come all names of that number.
	after := strings.TrimSuffix(SealName(r.log, from, 0), ".seal")
	return r.places(ctx, r.log+"/"+ledger.SealsDir+"/", after)
}

func (r *Reader) places(ctx context.Context, prefix, after string) iter.Seq2[Place, error] {
	return func(yield func(Place, error) bool) {
		var p Place
		for info, err := range listAll(ctx, r.store, prefix, after) {
			if err != nil {
				yield(Place{}, err) // What was listed may lack names.
				return
			}
			first, n, ok := ledger.ParseSealName(path.Base(info.Name))
			if !ok || info.Name != SealName(r.log, first, n) {
				continue
			}
			if p.count > 0 && p.First != first {
				if !yield(p, nil) {
					return
				}
				p = Place{}
			}
			p.First = first
			p.add(info, r.canBeSeal(info), MaxVersions)
		}
		if p.count > 0 {
			yield(p, nil)
		}
	}
}

// listAll lists what a store has, what delete markers hide included.
func listAll(ctx context.Context, s store.Store, prefix, after string) iter.Seq2[store.Info, error] {
	if v, ok := s.(store.Versioned); ok {
		return v.ListVersions(ctx, prefix, after)
	}
	return s.List(ctx, prefix, after)
}

// list finds the names and versions at one position, in one request where there
// are versions. Without, each name is asked for: a listing of a directory costs
// as much as it has files.
func (r *Reader) list(ctx context.Context, first uint64) (Place, error) {
	if r.versioned == nil {
		return Place{First: first}, nil
	}
	prefix := strings.TrimSuffix(SealName(r.log, first, 0), "seal")
	for p, err := range r.places(ctx, prefix, "") {
		return p, err
	}
	return Place{First: first}, nil
}

// Logs lists the names of a store's first folders that can be logs, in order;
// whether one is, [Reader.Head] says. It takes one request for each thousand
// objects, or one for each log if those are more.
func Logs(ctx context.Context, s store.Store) ([]string, error) {
	var logs []string
	after, more := "", true
	for more {
		seen, last := 0, ""
		more = false
		for info, err := range listAll(ctx, s, "", after) {
			if err != nil {
				return nil, fmt.Errorf("list the logs: %w", err)
			}
			top, _, folder := strings.Cut(info.Name, "/")
			if top != last {
				seen, last = 0, top
			}
			if seen++; folder && ledger.CheckLogName(top) == nil && !slices.Contains(logs, top) {
				logs = append(logs, top)
			}
			if folder && seen >= page {
				// "0" comes right after the slash: on behind the folder.
				after, more = top+"0", true
				break
			}
		}
	}
	slices.Sort(logs)
	return logs, nil
}

// page is how many names the clouds list in one request.
const page = 1000
