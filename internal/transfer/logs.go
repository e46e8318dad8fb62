package transfer

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/store"
)

// ErrNoLog means that a store was reached and has no log, or not the one named.
var ErrNoLog = errors.New("no such log")

// each works on the logs that opt names, or all, one after the other. The error
// is what ended the work early; what was done until then is in the result.
func each(ctx context.Context, s store.Store, opt Options, work func(log string) (*Report, error)) (*Result, error) {
	result := &Result{Logs: []*Report{}, Beside: []string{}}
	logs := opt.Logs
	if len(logs) == 0 {
		var err error
		if logs, err = result.scan(ctx, s); err != nil {
			return result, err
		}
	}
	for _, log := range logs {
		r, err := work(log)
		switch {
		case !r.empty():
			result.Logs = append(result.Logs, r)
		case err == nil && len(opt.Logs) > 0:
			return result, fmt.Errorf("%w: %s has no log %q", ErrNoLog, s.ID(), log)
		case err == nil:
			result.beside(log + "/")
		}
		if err != nil {
			return result, err
		}
	}
	if len(result.Logs) == 0 {
		return result, fmt.Errorf("%w: %s holds none; are bucket, prefix or directory right?", ErrNoLog, s.ID())
	}
	return result, nil
}

// scan finds the folders of a store that may be logs, those hidden by delete
// markers included.
func (r *Result) scan(ctx context.Context, s store.Store) (logs []string, err error) {
	for child, err := range children(ctx, s, "") {
		if err != nil {
			return nil, err
		}
		if name, folder := strings.CutSuffix(child, "/"); folder && ledger.CheckLogName(name) == nil {
			logs = append(logs, name)
		} else {
			r.beside(child)
		}
	}
	return logs, nil
}

func (r *Result) beside(name string) {
	if len(r.Beside) < maxListed {
		r.Beside = append(r.Beside, name)
	}
}
