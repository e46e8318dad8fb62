package e2e

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/otelcol-custody/custody/store/storetest/servers"
)

// copyTree copies a folder with all modes, as a backup does.
func copyTree(t *testing.T, from, to string) {
	t.Helper()
	command(t, "cp", "-a", from, to).want(t, 0)
}

// clone is another machine with copies of the home's key and state.
func (h *home) clone(t *testing.T) *home {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"keys", "state"} {
		copyTree(t, h.path(name), filepath.Join(dir, name))
	}
	c := &home{dir: dir, in: filepath.Join(dir, "in")}
	done(t, os.Mkdir(c.in, 0o700))
	c.newPorts(t)
	return c
}

var idInLine = regexp.MustCompile(`"` + regexp.QuoteMeta(idKey) + `":"([^"]*)"`)

// idsInState are the ids in the journals and the spool of a state directory, read
// without any code of the project.
func idsInState(t *testing.T, state string) map[string]bool {
	t.Helper()
	dec, err := zstd.NewReader(nil)
	done(t, err)
	defer dec.Close()
	ids := map[string]bool{}
	for _, pattern := range []string{"journal/*.journal", "spool/*.segment"} {
		names, err := filepath.Glob(filepath.Join(state, pattern))
		done(t, err)
		for _, name := range names {
			b, err := os.ReadFile(name)
			if err == nil && filepath.Ext(name) == ".segment" {
				b, err = dec.DecodeAll(b, nil)
			}
			done(t, err)
			for _, m := range idInLine.FindAllSubmatch(b, -1) {
				ids[string(m[1])] = true
			}
		}
	}
	return ids
}

// keptIn wants what was answered in the state directory or in the store.
func (b *book) keptIn(t *testing.T, state string, records []stored) {
	t.Helper()
	waiting, found := idsInState(t, state), idsOf(records)
	for id := range b.answered {
		if !waiting[id] && found[id] == 0 {
			t.Errorf("%s was answered, and is neither in %s nor in the store", id, state)
		}
	}
	t.Logf("%d ids answered, %d in the state directory", len(b.answered), len(waiting))
}

func (b *book) mustDeliver(t *testing.T, s send, ids ...string) {
	t.Helper()
	if err := b.deliver(t.Context(), s, ids, 10); err != nil {
		t.Fatal(err)
	}
}

// stops wants the collector to stop by itself with exit status 1.
func (c *collector) stops(t *testing.T, words ...string) {
	t.Helper()
	if code := c.exit(t); code != 1 {
		t.Errorf("exit status %d, want 1", code)
	}
	wantSaid(t, c.home.said(c.log.String()), words...)
}

// Two machines with copies of one state write one store: the first seal decides.
// The other one stops for good, and says so; what it answered is on its disk.
func TestTwoHosts(t *testing.T) {
	t.Parallel()
	h := newHome(t, "")
	before := newBook()
	c := start(t, h)
	before.mustDeliver(t, byGRPC(t, h.grpc), "before")
	c.stop(t)

	hosts := []*home{h, h.clone(t)}
	shared := fmt.Sprintf("exporters: {file_worm: {path: %q}}", h.store())
	collectors := []*collector{launch(t, hosts[0], shared), launch(t, hosts[1], shared)}
	books, loads := []*book{newBook(), newBook()}, []*load{}
	for _, c := range collectors {
		c.awaitHealth(t, http.StatusOK)
	}
	for i, h := range hosts {
		loads = append(loads, startPacedLoad(t, books[i], h, fmt.Sprint("host", i), 5*time.Millisecond))
	}
	loser := 0
	eventually(t, "one of them to stop", func() bool {
		for i, c := range collectors {
			select {
			case <-c.done:
				loser = i
				return true
			default:
			}
		}
		return false
	})
	loads[loser].stop()
	collectors[loser].stops(t, "log quickstart", "holds a validly signed seal", "nothing more is sealed",
		"nother collector", "otelcol-custody recover", "--log quickstart", `docs/operations.md, "A fork"`)

	winner := 1 - loser
	answers := books[winner].answers()
	eventually(t, "answers of the other", func() bool { return books[winner].answers() > answers+200 })
	loads[winner].stop()
	collectors[winner].stop(t)
	wantOrphanAtMost(t, h)
	records := readStore(t, h.store())
	books[winner].join(before)
	books[winner].check(t, records)
	books[loser].keptIn(t, hosts[loser].path("state"), records)
	wantRefusal(t, hosts[loser], shared, "log quickstart", "otelcol-custody recover")
}

// wantOrphanAtMost wants a store that verifies, but for the content that the loser
// wrote before it found the other one's seal: it stays, and no seal names it.
func wantOrphanAtMost(t *testing.T, h *home) {
	t.Helper()
	r := custody(t, "verify", h.store(), "--key", h.pub(), "--json")
	if r.exit == 0 {
		return
	}
	findings := verify(t, 1, h.store(), h.pub()).findings()
	if len(findings) != 1 || findings[0].Code != "orphan-segment" || findings[0].First != 2 {
		t.Errorf("verify found %+v", findings)
	}
}

// A state directory that came out of a backup is older than the store: refused
// before anybody is answered, and nothing in the store changes.
func TestOldBackup(t *testing.T) {
	slow := `processors: {hash_chain: {segment: {max_age: 1h}}}` // What is in the journal stays there.
	for name, crash := range map[string]bool{"of a stopped collector": false, "with records in the journal": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHome(t, "")
			b := newBook()
			c := start(t, h)
			b.mustDeliver(t, byGRPC(t, h.grpc), "before")
			c.stop(t)
			if crash {
				c = start(t, h, slow)
				b.mustDeliver(t, byGRPC(t, h.grpc), "journalled")
				c.kill()
			}
			copyTree(t, h.path("state"), h.path("backup"))
			c = start(t, h)
			b.mustDeliver(t, byGRPC(t, h.grpc), "after")
			c.stop(t)
			want := objectSums(t, h.store())

			done(t, os.Rename(h.path("state"), h.path("newer")))
			copyTree(t, h.path("backup"), h.path("state"))
			c = launch(t, h)
			c.stops(t, "log quickstart: the store is ahead", "$CUSTODY_HOME/store", "older than the store", "restored from a backup",
				"another collector went on with a copy", "otelcol-custody recover", "--log quickstart", `docs/operations.md, "A fork"`)
			if got := objectSums(t, h.store()); !maps.Equal(got, want) {
				t.Errorf("the store had %d objects and has %d, or others", len(want), len(got))
			}

			// With the newer state the log goes on.
			done(t, os.RemoveAll(h.path("state")))
			done(t, os.Rename(h.path("newer"), h.path("state")))
			start(t, h).stop(t)
			verify(t, 0, h.store(), h.pub())
			b.check(t, readStore(t, h.store()))
		})
	}
}

// The store is away when a collector starts with a state out of a backup: it
// takes records, says that nobody has answered for the log, and stops as soon as
// the store is back. What it answered meanwhile is on its disk.
func TestOldBackupStoreAway(t *testing.T) {
	h := newHome(t, "")
	clouds := &clouds{s3: servers.Versity(t)}
	clouds.s3.Bucket(t, container, true)
	overlay := clouds.s3Exporter(h) + "service: {pipelines: {logs: {exporters: [s3_worm]}}}"
	b := newBook()
	c := start(t, h, overlay)
	b.mustDeliver(t, byGRPC(t, h.grpc), "before")
	c.stop(t)
	copyTree(t, h.path("state"), h.path("backup"))
	c = start(t, h, overlay)
	b.mustDeliver(t, byGRPC(t, h.grpc), "after")
	c.stop(t)

	done(t, os.Rename(h.path("state"), h.path("newer")))
	copyTree(t, h.path("backup"), h.path("state"))
	clouds.s3.Kill()
	c = launch(t, h, overlay)
	c.awaitHealth(t, http.StatusInternalServerError)
	lost, s := newBook(), byGRPC(t, h.grpc)
	for n := range 3 {
		lost.mustDeliver(t, s, fmt.Sprint("meanwhile-", n))
		time.Sleep(400 * time.Millisecond) // one segment each
	}
	clouds.s3.Restart()
	c.stops(t, "log quickstart is forked", "this state was restored from an old backup and went on while the store was away",
		"otelcol-custody recover", "--log quickstart", `docs/operations.md, "A fork"`)
	dir := h.path("fetched")
	clouds.fetch(t, "s3", dir).want(t, 0)
	verify(t, 0, dir, h.pub())
	records := readStore(t, dir)
	b.check(t, records)
	lost.keptIn(t, h.path("state"), nil)
	if !bytes.Contains([]byte(c.log.String()), []byte("retrying: fence")) {
		t.Error("nobody was told that no store could be asked")
	}
}
