package attacks

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/internal/delivery"
	"github.com/otelcol-custody/custody/internal/durable"
	"github.com/otelcol-custody/custody/internal/sealer"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/ledger/record"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/tree"
)

// A state is a collector's state directory, as kill -9 leaves it: a segment
// that is delivered, two in the spool whose store is away, and a journal with
// answered records.
type state struct {
	dir    string
	lost   bool // the operator did not ask for a genesis
	signer *checkpoint.Signer
}

func (st *state) config() sealer.Config {
	return sealer.Config{
		Log: logName, Signer: st.signer, Dir: st.dir, Genesis: !st.lost, Software: "custody/attacks",
		MaxBytes: 1 << 20, MaxAge: time.Hour, Heartbeat: time.Hour, Checkpoint: 10 * time.Millisecond,
		AckTimeout: 5 * time.Second, SpoolLimit: 1 << 30, MinStores: 1,
	}
}

// files of the state directory, by what they are. The positions follow from how
// many records withState sends.
const (
	identityFile   = "identity"
	checkpointFile = "checkpoint"
	spooled        = "spool/00000000000000000005"
	nextJournal    = "journal/00000000000000000005.journal"
	newest         = "spool/00000000000000000010"
	openJournal    = "journal/00000000000000000015.journal"
)

// left is what lies in the directory, made once for each key.
var left struct {
	sync.Mutex
	files map[string]objects
}

func withState(t testing.TB) *scene {
	return &scene{TB: t, signer: ledgertest.Signer(t, origin), state: stateOf(t, ledgertest.Signer(t, origin))}
}

func stateOf(t testing.TB, signer *checkpoint.Signer) *state {
	t.Helper()
	left.Lock()
	defer left.Unlock()
	if left.files[signer.ID()] == nil {
		if left.files == nil {
			left.files = map[string]objects{}
		}
		left.files[signer.ID()] = makeState(t, signer)
	}
	return stateWith(t, signer, left.files[signer.ID()])
}

// stateWith is a state directory that holds these files.
func stateWith(t testing.TB, signer *checkpoint.Signer, files objects) *state {
	t.Helper()
	st := &state{dir: t.TempDir(), signer: signer}
	for name, b := range files {
		must(t, os.MkdirAll(filepath.Join(st.dir, filepath.Dir(name)), 0o700))
		must(t, os.WriteFile(filepath.Join(st.dir, name), b, 0o600))
	}
	return st
}

// makeState runs three processes on a directory and reads it while the third is
// alive.
func makeState(t testing.TB, signer *checkpoint.Signer) objects {
	t.Helper()
	st := &state{dir: t.TempDir(), signer: signer}
	for n := range 4 {
		s, err := sealer.Open(st.config(), &downstream{away: n > 0}, silent{})
		must(t, err)
		must(t, s.Append(context.Background(), fourRecords(t, n*5)))
		if n < 3 {
			must(t, s.Close(context.Background(), 200*time.Millisecond))
			continue
		}
		files := st.settled(t)
		must(t, s.Close(context.Background(), 200*time.Millisecond))
		return files
	}
	return nil
}

func fourRecords(t testing.TB, first int) *sealer.Batch {
	t.Helper()
	b := &sealer.Batch{}
	for i := range 4 {
		line, err := record.AppendLine(nil, ledgertest.Record("", uint64(first+i)))
		must(t, err)
		b.Add(line, "test", false)
	}
	return b
}

// settled reads the directory once its checkpoint says all 19 records.
func (st *state) settled(t testing.TB) objects {
	t.Helper()
	for {
		b, err := os.ReadFile(filepath.Join(st.dir, checkpointFile))
		if err == nil && bytes.Contains(b, []byte("\n19\n")) {
			return st.files(t)
		}
		time.Sleep(time.Millisecond)
	}
}

// files are those of the directory, but for its lock.
func (st *state) files(t testing.TB) objects {
	t.Helper()
	files := objects{}
	must(t, filepath.WalkDir(st.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == "lock" {
			return err
		}
		name, err := filepath.Rel(st.dir, path)
		if err == nil {
			files[name], err = os.ReadFile(path)
		}
		return err
	}))
	return files
}

func (st *state) edit(s *scene, name string, change func([]byte) []byte) {
	s.Helper()
	b, err := os.ReadFile(filepath.Join(st.dir, name))
	must(s, err)
	must(s, os.WriteFile(filepath.Join(st.dir, name), change(b), 0o600))
}

func (st *state) remove(s *scene, names ...string) {
	s.Helper()
	for _, name := range names {
		must(s, os.Remove(filepath.Join(st.dir, name)))
	}
}

// downstream is a store that is there or away.
type downstream struct{ away bool }

var errAway = errors.New("the store is away")

func (d *downstream) answer() (int, int, error) {
	if d.away {
		return 0, 1, errAway
	}
	return 1, 1, nil
}

// Deliver implements [sealer.Downstream].
func (d *downstream) Deliver(context.Context, *delivery.Objects) (int, int, error) { return d.answer() }

// Probe implements [sealer.Downstream].
func (d *downstream) Probe(context.Context, *delivery.Probe) (int, int, error) { return d.answer() }

// Checkpoint implements [sealer.Downstream].
func (d *downstream) Checkpoint(context.Context, []byte) error { return nil }

// Records implements [sealer.Downstream].
func (d *downstream) Records(context.Context, *seal.Verified, *tree.Seed, []byte) error { return nil }

// silent is an observer that tells nobody.
type silent struct{}

func (silent) Sealed(*seal.Verified, int64)          {}
func (silent) Waiting(int)                           {}
func (silent) Stored(*seal.Head, int, time.Duration) {}
func (silent) Trouble(string, error)                 {}
func (silent) Better(string)                         {}
func (silent) Fatal(error)                           {}
func (silent) Notice(string)                         {}
func (silent) Synced(time.Duration)                  {}

// startJudge is the start of hash_chain on the directory.
type startJudge struct{}

func (startJudge) name() string                 { return starter }
func (startJudge) takes(_ trial, s *scene) bool { return s.state != nil }
func (startJudge) due(tr trial) (string, bool)  { return tr.want, true }

func (startJudge) judge(t testing.TB, tr trial, s *scene) ([]finding, time.Duration) {
	began := time.Now()
	started, err := sealer.Open(s.state.config(), &downstream{away: true}, silent{})
	took := time.Since(began)
	if err == nil {
		must(t, started.Close(context.Background(), 0))
		return nil, took
	}
	for code, is := range map[string]error{
		"damaged": sealer.ErrDamaged, "no-head": sealer.ErrNoHead, "other-log": sealer.ErrOtherLog, "locked": durable.ErrLocked,
	} {
		if errors.Is(err, is) {
			return []finding{{code, namedFile(s.state.dir, err)}}, took
		}
	}
	t.Errorf("%s: refused with %v", tr.id, err)
	return nil, took
}

// namedFile is the file of the directory that an error names first.
func namedFile(dir string, err error) string {
	m := regexp.MustCompile(regexp.QuoteMeta(dir) + `/([a-z]+(?:/[0-9a-z.]+)?)`).FindStringSubmatch(err.Error())
	if m == nil {
		return ""
	}
	return strings.TrimRight(m[1], ".")
}

// stateAttacks touch what a collector goes on from. A start refuses, names the
// file, and changes nothing.
func stateAttacks() family {
	return family{
		name: "state", title: "Spool, journal and state directory", set: withState,
		about: "The collector is down; its next start must refuse and name the file. The stores are away: what they know is the next family's.",
		all:   slices.Concat(journalAttacks(), spoolAttacks(), identityAttacks()),
	}
}

// journalAttacks touch what is not sealed yet.
func journalAttacks() []attack {
	edit := func(name string, change func([]byte) []byte) func(*scene) {
		return func(s *scene) { s.state.edit(s, name, change) }
	}
	gone := func(names ...string) func(*scene) { return func(s *scene) { s.state.remove(s, names...) } }
	const mark = openJournal + ".mark"
	return []attack{
		{name: "change an answered record in the journal", who: root, want: "damaged " + openJournal, do: edit(openJournal, func(b []byte) []byte {
			return bytes.Replace(b, []byte(`"event_name":"test"`), []byte(`"event_name":"best"`), 1)
		})},
		{name: "cut the journal behind its header", who: root, want: "damaged " + openJournal, do: edit(openJournal, func(b []byte) []byte {
			return b[:bytes.Index(b, []byte(`{"body"`))]
		})},
		{name: "cut a byte off the journal", who: root, want: "damaged " + openJournal, do: edit(openJournal, func(b []byte) []byte { return b[:len(b)-1] })},
		{name: "cut the journal and delete its watermark", who: root, want: "damaged " + checkpointFile, do: func(s *scene) {
			s.state.edit(s, openJournal, func(b []byte) []byte { return b[:len(b)-1] })
			s.state.remove(s, mark)
		}},
		{name: "write a frame twice", who: root, want: "damaged " + openJournal, do: edit(openJournal, func(b []byte) []byte {
			return slices.Concat(b, b[bytes.LastIndex(b, []byte("CJ1\n")):])
		})},
		{name: "delete the journal", who: root, want: "damaged " + openJournal, do: gone(openJournal, mark)},
		{name: "empty the journal", who: root, want: "damaged " + openJournal, do: edit(openJournal, func([]byte) []byte { return nil })},
		{name: "put another log's journal in its place", who: root, want: "damaged " + openJournal, do: func(s *scene) {
			b, err := os.ReadFile(filepath.Join(stateOf(s, ledgertest.Signer(s, other)).dir, openJournal))
			must(s, err)
			s.state.edit(s, openJournal, func([]byte) []byte { return b })
		}},
	}
}

// spoolAttacks touch what is sealed and not delivered.
func spoolAttacks() []attack {
	edit := func(name string, change func([]byte) []byte) func(*scene) {
		return func(s *scene) { s.state.edit(s, name, change) }
	}
	gone := func(names ...string) func(*scene) { return func(s *scene) { s.state.remove(s, names...) } }
	const mark = openJournal + ".mark"
	return []attack{
		{name: "change a record in a spooled segment", who: root, want: "damaged " + spooled + ".segment", do: edit(spooled+".segment", flip(0.7))},
		{name: "delete a spooled segment", who: root, want: "damaged " + spooled + ".segment", do: gone(spooled + ".segment")},
		{name: "delete a spooled seal", who: root, want: "damaged " + spooled + ".seal", do: gone(spooled + ".seal")},
		{name: "delete the oldest spooled segment with its seal", who: root, want: "damaged " + spooled + ".seal", do: gone(spooled+".segment", spooled+".seal")},
		{name: "change a spooled seal", who: root, want: "damaged " + spooled + ".seal", do: edit(spooled+".seal", flip(1))},
		{name: "swap two spooled segments", who: root, want: "damaged " + spooled + ".segment", do: func(s *scene) {
			a, b := filepath.Join(s.state.dir, spooled+".segment"), filepath.Join(s.state.dir, newest+".segment")
			must(s, os.Rename(a, a+".aside"))
			must(s, os.Rename(b, a))
			must(s, os.Rename(a+".aside", b))
		}},
		{name: "delete the newest seal, the head", who: root, want: "damaged " + openJournal, do: gone(newest + ".seal")},
		{name: "delete all that was not delivered", who: root, want: "damaged " + nextJournal, do: func(s *scene) {
			s.state.remove(s, spooled+".seal", spooled+".segment", newest+".seal", newest+".segment", openJournal, mark)
		}},
	}
}

// identityAttacks touch whose directory it is.
func identityAttacks() []attack {
	edit := func(name string, change func([]byte) []byte) func(*scene) {
		return func(s *scene) { s.state.edit(s, name, change) }
	}
	gone := func(names ...string) func(*scene) { return func(s *scene) { s.state.remove(s, names...) } }
	return []attack{
		{name: "delete the identity", who: root, want: "damaged " + identityFile, do: gone(identityFile)},
		{name: "change the nonce in the identity", who: root, want: "damaged " + identityFile, do: edit(identityFile, func(b []byte) []byte {
			at := bytes.Index(b, []byte("nonce ")) + 6
			b[at] = "10"[b[at]&1]
			return b
		})},
		{name: "put another log's identity in its place", who: root, want: "other-log " + identityFile, do: func(s *scene) {
			b, err := os.ReadFile(filepath.Join(stateOf(s, ledgertest.Signer(s, other)).dir, identityFile))
			must(s, err)
			s.state.edit(s, identityFile, func([]byte) []byte { return b })
		}},
		{name: "put another key into the configuration", who: root, want: "other-log " + identityFile, do: func(s *scene) { s.state.signer = impostor(s) }},
		{name: "alter the signed checkpoint", who: root, want: "damaged " + checkpointFile, do: edit(checkpointFile, func(b []byte) []byte {
			return bytes.Replace(b, []byte("\n19\n"), []byte("\n18\n"), 1)
		})},
		{name: "empty the state directory, on_missing_head unset", who: root, want: "no-head", do: func(s *scene) {
			must(s, os.RemoveAll(s.state.dir))
			s.state.lost = true
		}},
		{name: "start a second collector on it", who: root, want: "locked lock", do: func(s *scene) {
			lock, err := durable.OS.Lock(filepath.Join(s.state.dir, "lock"))
			must(s, err)
			s.Cleanup(func() { _ = lock.Close() })
		}},
	}
}
