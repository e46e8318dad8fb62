package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"testing"
)

// A result is what a run of the auditor's command gave.
type result struct {
	args           []string
	exit           int
	stdout, stderr string
}

func custody(t *testing.T, args ...string) result {
	t.Helper()
	return command(t, custodyBin, args...)
}

func command(t *testing.T, bin string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(ctx, bin, args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{args, cmd.ProcessState.ExitCode(), out.String(), errs.String()}
}

func (r result) want(t *testing.T, exit int) result {
	t.Helper()
	if r.exit != exit {
		t.Fatalf("%q: exit %d, want %d\n%s%s", r.args, r.exit, exit, r.stdout, r.stderr)
	}
	return r
}

// verdict is what of the document of `verify --json` is judged here.
type verdict struct {
	Verdict string
	Logs    []struct {
		Log               string
		Records           int
		RecordsChecked    int  `json:"records_checked"`
		TruncationChecked bool `json:"truncation_checked"`
		Findings          []finding
	}
	Gone []finding
}

type finding struct {
	Code, Log, Object, Message string
	First                      uint64
	Record                     *uint64
}

func (v *verdict) findings() []finding {
	all := v.Gone
	for _, l := range v.Logs {
		all = append(all, l.Findings...)
	}
	return all
}

// verify runs custody verify on a store and wants this exit status.
func verify(t *testing.T, exit int, store, pub string, flags ...string) *verdict {
	t.Helper()
	r := custody(t, append([]string{"verify", store, "--key", pub, "--json"}, flags...)...).want(t, exit)
	v := &verdict{}
	if err := json.Unmarshal([]byte(r.stdout), v); err != nil {
		t.Fatalf("%v in\n%s", err, r.stdout)
	}
	return v
}
