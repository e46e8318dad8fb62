package attacks

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
)

// A journal is one of systemd, sealed every second (Forward Secure Sealing), with
// twelve records, as testdata/journal.sh made it; and the verification key.
type journal struct {
	testing.TB
	bytes []byte
	key   string
}

func newJournal(t testing.TB) *journal {
	t.Helper()
	key, err := os.ReadFile("testdata/journal.key")
	must(t, err)
	j := &journal{TB: t, key: strings.TrimSpace(string(key))}
	j.load("sealed")
	return j
}

func (j *journal) load(name string) {
	j.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name+".journal.zst"))
	must(j, err)
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	must(j, err)
	defer dec.Close()
	j.bytes, err = dec.DecodeAll(b, nil)
	must(j, err)
}

// at is where a record's text begins; they are numbered from 01.
func (j *journal) at(number string) int {
	j.Helper()
	i := bytes.Index(j.bytes, []byte("record "+number+" of"))
	if i < 0 {
		j.Fatalf("no record %s", number)
	}
	return i + len("record ")
}

func (j *journal) flip()    { j.bytes[j.at("09")] ^= 0x10 }
func (j *journal) reword()  { copy(j.bytes[j.at("09"):], "99") }
func (j *journal) repeat()  { copy(j.bytes[j.at("10"):], "09") }
func (j *journal) cut()     { j.bytes = j.bytes[:len(j.bytes)/2] }
func (j *journal) earlier() { j.load("earlier") }

// signAgain is a journal that was sealed with another key than the auditor's.
func (j *journal) signAgain() {
	j.key = string("123456789abcdef0"[strings.IndexByte("0123456789abcdef", j.key[0])]) + j.key[1:]
}

func (j *journal) swap() {
	a, b := j.at("08"), j.at("09")
	copy(j.bytes[a:], "09")
	copy(j.bytes[b:], "08")
}

// flipSeal turns a bit of a tag, which is a seal of all before it.
func (j *journal) flipSeal() {
	const tag, size = 7, 64
	for at := j.at("09") &^ 7; at+size <= len(j.bytes); at += 8 {
		if j.bytes[at] == tag && binary.LittleEndian.Uint64(j.bytes[at+8:]) == size {
			j.bytes[at+size-1] ^= 1
			return
		}
	}
	j.Fatal("no tag")
}

// journald is journalctl --verify on such a journal, to which the same was done.
type journald struct{}

func (journald) column() string { return "journalctl" }
func (journald) reads() string  { return "a sealed journal" }

func (r journald) verdict(t testing.TB, tr trial) (c cell) {
	if tr.journal == nil || tr.kept {
		return c
	}
	j := newJournal(t)
	if tr.do != nil {
		tr.journal(j)
	}
	path := filepath.Join(t.TempDir(), "system.journal")
	must(t, os.WriteFile(path, j.bytes, 0o600))
	began := time.Now()
	out, err := exec.Command("journalctl", "--verify", "--file="+path, "--verify-key="+j.key).CombinedOutput()
	took := time.Since(began)
	if ended := (*exec.ExitError)(nil); err != nil && !errors.As(err, &ended) {
		t.Errorf("%s: journalctl: %v\n%s", tr.id, err, out)
	}
	return cell{judge: r.column(), asked: true, due: true, found: err != nil, ms: max(1, took.Milliseconds())}
}
