package attacks

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/verify"
)

// A judge is whoever may find an attack.
type judge interface {
	// name heads its column.
	name() string
	// takes says whether it judges this kind of thing, in this trial.
	takes(tr trial, s *scene) bool
	// due is what it has to say of an attack, unless the attack says otherwise;
	// exact: all of it, and nothing else.
	due(tr trial) (want string, exact bool)
	// judge returns what it says, and how long it took.
	judge(t testing.TB, tr trial, s *scene) ([]finding, time.Duration)
}

// The columns.
const (
	verifier     = "custody verify"
	shellReader  = "verify.sh"
	pythonReader = "verify.py"
	storeReader  = "store reader"
	fetcher      = "fetch"
	starter      = "start"
	proofChecker = "check-proof"
	shellPack    = "check_pack.sh"
	pythonPack   = "check_pack.py"
	guardian     = "guard"
)

func judges() []judge {
	return []judge{
		verifyJudge{}, readerJudge{shellReader, "bash"}, readerJudge{pythonReader, "python3"}, storeJudge{}, fetchJudge{}, guardJudge{}, postJudge{}, startJudge{}, fenceJudge{},
		proofJudge{}, packJudge{shellPack, "bash"}, packJudge{pythonPack, "python3"},
	}
}

const top = "../.."

// built is the auditor's command, made of these sources.
var built struct {
	once sync.Once
	dir  string
	err  error
}

func custody(t testing.TB) string {
	t.Helper()
	built.once.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "attacks"); built.err != nil {
			return
		}
		out, err := exec.Command("go", "build", "-o", built.dir+"/custody", top+"/cmd/custody").CombinedOutput()
		if err != nil {
			built.err = fmt.Errorf("build custody: %w\n%s", err, out)
		}
	})
	must(t, built.err)
	return built.dir + "/custody"
}

// run runs a command with 4 GiB of address space at most, so that a bomb that
// goes off is an error of the command and not of the machine.
func run(t testing.TB, command string, args ...string) (stdout string, exit int, took time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	limited := append([]string{"-c", `ulimit -v 4194304; exec "$@"`, "bash", command}, args...)
	cmd := exec.CommandContext(ctx, "bash", limited...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	began := time.Now()
	err := cmd.Run()
	took = time.Since(began)
	if ended := (*exec.ExitError)(nil); err != nil && !errors.As(err, &ended) || ctx.Err() != nil {
		t.Fatalf("%s %q: %v", command, args, err)
	}
	if code := cmd.ProcessState.ExitCode(); code < 0 || code > 3 {
		t.Fatalf("%s %q: exit %d\n%s%s", command, args, code, out.String(), errs.String())
	}
	return out.String(), cmd.ProcessState.ExitCode(), took
}

// byExit are the verdicts without findings.
func byExit(exit int) []finding {
	switch exit {
	case 2:
		return []finding{{"refused", ""}}
	case 3:
		return []finding{{"unfinished", ""}}
	}
	return nil
}

// verifyJudge is the auditor's command.
type verifyJudge struct{}

func (verifyJudge) name() string { return verifier }
func (verifyJudge) takes(_ trial, s *scene) bool {
	return s.file == nil && (s.store != nil || s.vault != nil)
}
func (verifyJudge) due(tr trial) (string, bool) { return tr.want, true }

func (verifyJudge) judge(t testing.TB, tr trial, s *scene) ([]finding, time.Duration) {
	if s.vault != nil {
		s = s.fetched(t)
	}
	store, keys, kept := s.dir(t)
	args := []string{"verify", store, "--key", keys, "--json"}
	if tr.kept {
		args = append(args, "--since", kept)
	}
	out, exit, took := run(t, custody(t), args...)
	if exit == 2 {
		return byExit(exit), took
	}
	var doc struct {
		Logs []struct {
			Findings []verify.Finding
			Notices  []string
		}
		Gone []verify.Finding
	}
	if err := json.Unmarshal([]byte(out), &doc); err != nil {
		t.Fatalf("%s: %v\n%s", tr.id, err, out)
	}
	var all []finding
	for _, l := range doc.Logs {
		for _, f := range l.Findings {
			all = append(all, finding{string(f.Code), placeOf(f.First, f.Record)})
		}
		all = append(all, tileNotices(l.Notices)...)
	}
	for _, f := range doc.Gone {
		all = append(all, finding{string(f.Code), ""})
	}
	if tampered := exit == 1; tampered != (len(all) > 0 && !strings.HasPrefix(all[0].code, "tile-")) {
		t.Errorf("%s: exit %d with findings %v", tr.id, exit, all)
	}
	if len(all) == 0 {
		all = byExit(exit)
	}
	return all, took
}

func placeOf(first uint64, record *uint64) string {
	if record == nil {
		return fmt.Sprint(first)
	}
	return fmt.Sprintf("%d/%d", first, *record)
}

var tileName = regexp.MustCompile(`/tiles/(\d+)/0*(\d+)\.tile(:? .*)`)

// tileNotices are what is said of tiles, which is no finding (spec §11, step 6).
func tileNotices(notices []string) (all []finding) {
	for _, n := range notices {
		m := tileName.FindStringSubmatch(n)
		if m == nil {
			continue
		}
		code := "tile-foreign"
		switch {
		case strings.Contains(m[3], "is missing"):
			code = "tile-missing"
		case strings.Contains(m[3], "differs"):
			code = "tile-altered"
		}
		all = append(all, finding{code, m[1] + "/" + m[2]})
	}
	return all
}

// readerJudge is one of the two readers of the specification, which share no
// code with the project.
type readerJudge struct{ file, with string }

func (r readerJudge) name() string { return r.file }

// A log that large takes the readers minutes, and they do not read tiles.
func (r readerJudge) takes(_ trial, s *scene) bool {
	return s.file == nil && s.store != nil && !s.large
}

// A reader may end a log at its first finding (spec §11), and then says so.
func (r readerJudge) due(tr trial) (string, bool) { return tr.want, false }

var said = regexp.MustCompile(`(?m)^([a-z-]+) log=\S+ segment=(\S+) record=(\S*)`)

func (r readerJudge) judge(t testing.TB, tr trial, s *scene) ([]finding, time.Duration) {
	store, keys, kept := s.dir(t)
	args := []string{filepath.Join(top, "docs/spec/readers", r.file), store, keys}
	if tr.kept {
		args = append(args, "--since", kept)
	}
	out, exit, took := run(t, r.with, args...)
	var all []finding
	altered := map[string]bool{}
	for _, m := range said.FindAllStringSubmatch(out, -1) {
		code, place := m[1], strings.Trim(m[2], "-")
		if code == "note" || code == "expired" || code == "unfinished" {
			continue
		}
		// The shell reader lists the records of an altered segment one by one.
		if altered[place] = altered[place] || code == "segment-altered"; code == "record-altered" && altered[place] {
			continue
		}
		if record := strings.Trim(m[3], "-"); record != "" {
			place += "/" + record
		}
		all = append(all, finding{code, place})
	}
	if (exit == 1) != (len(all) > 0) {
		t.Errorf("%s: %s: exit %d with findings %v\n%s", tr.id, r.file, exit, all, out)
	}
	if len(all) == 0 {
		all = byExit(exit)
	}
	return all, took
}

// firstOf is the first record that an object's name speaks of.
func firstOf(name string) string {
	base := path.Base(name)
	if first, _, ok := ledger.ParseSegmentName(base); ok {
		return fmt.Sprint(first)
	}
	if first, _, ok := ledger.ParseSealName(base); ok {
		return fmt.Sprint(first)
	}
	return ""
}
