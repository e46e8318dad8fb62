package e2e

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A moment is a machine as kill -9 left it, of which damages get copies.
type moment struct {
	home    *home
	overlay string
	book    *book
	kept    string // a checkpoint of the store, "" when it was empty
}

// moments make machines that were killed.
var moments = map[string]func(t *testing.T) *moment{
	"fresh": func(t *testing.T) *moment {
		m := newMoment(t, "")
		start(t, m.home).kill()
		return m
	},
	"open journal": func(t *testing.T) *moment {
		m := newMoment(t, "")
		m.sign(t, "a", "b")
		return m
	},
	"store away": func(t *testing.T) *moment {
		m := newMoment(t, "")
		c := start(t, m.home)
		m.stored(t, "before")
		done(t, os.Rename(m.home.store(), m.home.path("away")))
		for n, id := range []string{"a", "b"} {
			m.send(t, id)
			m.spooled(t, ".seal", n+1)
		}
		m.deliver(t, c, "c")
		done(t, os.Rename(m.home.path("away"), m.home.store()))
		return m
	},
	"delivered": func(t *testing.T) *moment {
		m := newMoment(t, "")
		c := start(t, m.home)
		m.stored(t, "a")
		c.stop(t)
		return m
	},
	"delivered, open journal": func(t *testing.T) *moment {
		m := newMoment(t, "")
		c := start(t, m.home)
		m.stored(t, "a")
		c.stop(t)
		m.sign(t, "b")
		return m
	},
	"records wait": func(t *testing.T) *moment {
		m := newMoment(t, (&siem{endpoint: "http://" + freeEndpoint(t)}).overlay())
		c := start(t, m.home, m.overlay)
		m.stored(t, "a")
		m.deliver(t, c, "b")
		return m
	},
}

func newMoment(t *testing.T, overlay string) *moment {
	return &moment{home: newHome(t, ""), overlay: overlay, book: newBook()}
}

func (m *moment) send(t *testing.T, ids ...string) {
	t.Helper()
	m.book.mustDeliver(t, byGRPC(t, m.home.grpc), ids...)
}

// stored sends and waits for the seal.
func (m *moment) stored(t *testing.T, id string) {
	t.Helper()
	before := sealCount(m.home.store())
	m.send(t, id)
	eventually(t, "a seal", func() bool { return sealCount(m.home.store()) > before })
	m.spooled(t, ".delivered", 1)
}

// spooled waits until the spool has so many seals, and everything is sealed.
func (m *moment) spooled(t *testing.T, ext string, n int) {
	t.Helper()
	eventually(t, "seals", func() bool {
		open, _ := filepath.Glob(m.home.path("state/journal/*.journal"))
		names, _ := filepath.Glob(m.home.path("state/spool/*" + ext))
		return len(open) == 1 && len(names) == n
	})
}

// deliver sends and kills.
func (m *moment) deliver(t *testing.T, c *collector, ids ...string) {
	t.Helper()
	for _, id := range ids {
		m.send(t, id)
	}
	c.kill()
}

// sign sends, waits for a checkpoint over what is in the journal, and kills.
func (m *moment) sign(t *testing.T, ids ...string) {
	t.Helper()
	m.overlay = `processors: {hash_chain: {segment: {max_age: 1h}}}`
	c := start(t, m.home, m.overlay)
	for _, id := range ids {
		m.send(t, id)
	}
	eventually(t, "a checkpoint", func() bool {
		_, err := os.Stat(m.home.path("state/checkpoint"))
		return err == nil
	})
	c.kill()
}

// remember keeps a checkpoint of what is stored.
func (m *moment) remember(t *testing.T) {
	t.Helper()
	if sealCount(m.home.store()) > 0 {
		m.kept = m.home.path("kept.checkpoint")
		verify(t, 0, m.home.store(), m.home.pub(), "--save-checkpoint", m.kept)
	}
}

// A damage is done to one file or folder of the state directory.
type damage struct {
	moment, path, what string
	do                 func(b []byte) []byte // nil: removed
}

// damagesOf lists what can happen to a file; a folder can only be lost.
func damagesOf(moment, path string, b []byte) []damage {
	out := []damage{{moment, path, "removed", nil}}
	add := func(what string, do func(b []byte) []byte) { out = append(out, damage{moment, path, what, do}) }
	if len(b) == 0 {
		return out
	}
	add("emptied", func([]byte) []byte { return nil })
	add("cut in half", func(b []byte) []byte { return b[:len(b)/2] })
	add("cut by one", func(b []byte) []byte { return b[:len(b)-1] })
	add("zeroed", func(b []byte) []byte { return make([]byte, len(b)) })
	for _, at := range []int{0, len(b) / 3, len(b) - 2} {
		add(fmt.Sprintf("bit %d flipped", 8*at), func(b []byte) []byte { b[max(at, 0)] ^= 1; return b })
	}
	return out
}

// Every file and folder of the state directory, damaged in every way: refused by
// its name, with the way out, and nothing is changed; or taken, and nothing that
// was answered is lost. It is never silently begun afresh.
func TestDamagedState(t *testing.T) {
	rng := dice(t)
	made, all := map[string]*moment{}, []damage{}
	for _, name := range slices.Sorted(maps.Keys(moments)) {
		m := moments[name](t)
		m.remember(t)
		made[name] = m
		for path, b := range treeOf(t, m.home.path("state")) {
			all = append(all, damagesOf(name, path, b)...)
		}
	}
	slices.SortFunc(all, func(a, b damage) int {
		return strings.Compare(a.moment+a.path+a.what, b.moment+b.path+b.what)
	})
	if os.Getenv("CUSTODY_TORTURE") == "" {
		rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		all = all[:40]
	}
	var table outcomes
	t.Cleanup(func() { table.print(t) })
	for _, d := range all {
		t.Run(d.moment+"/"+d.path+"/"+d.what, func(t *testing.T) {
			t.Parallel()
			table.add(d, made[d.moment].suffer(t, d))
		})
	}
}

// treeOf reads a folder; a folder in it has no bytes and a slash behind its name.
func treeOf(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	done(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		if d.IsDir() {
			out[name+"/"] = nil
			return nil
		}
		out[name], err = os.ReadFile(path)
		return err
	}))
	return out
}

// suffer damages a copy and starts the collector on it. It says whether the
// collector took it.
func (m *moment) suffer(t *testing.T, d damage) (taken bool) {
	h := m.home.clone(t)
	copyTree(t, m.home.store(), h.store())
	path := filepath.Join(h.path("state"), d.path)
	if d.do == nil {
		done(t, os.RemoveAll(path))
	} else {
		b, err := os.ReadFile(path)
		done(t, err)
		done(t, os.Remove(path)) // It may have a second name, whose content stays.
		done(t, os.WriteFile(path, d.do(b), 0o600))
	}
	before := both(t, h)
	c := launch(t, h, m.overlay)
	b, s := newBook(), byGRPC(t, h.grpc)
	b.join(m.book)
	eventually(t, "an answer or a refusal", func() bool {
		select {
		case <-c.done:
			return true
		default:
			taken = b.deliver(t.Context(), s, []string{"afterwards"}, 10) == nil
			return taken
		}
	})
	if !taken {
		named := filepath.Base(d.path)
		if d.do == nil {
			named = filepath.Dir(filepath.Clean(d.path)) // What else says that it was there?
		}
		c.stops(t, "hash_chain", "$CUSTODY_HOME/state", named, "Damaged or lost state", "otelcol-custody recover")
		for name, change := range changes(before, both(t, h)) {
			t.Errorf("it was refused, and %s was %s", name, change)
		}
		return false
	}
	c.stop(t)
	m.goesOn(t, h, b)
	return true
}

// goesOn wants everything that was answered in the store, and the log continued.
func (m *moment) goesOn(t *testing.T, h *home, b *book) {
	t.Helper()
	flags := []string{}
	if m.kept != "" {
		flags = append(flags, "--since", m.kept)
	}
	verify(t, 0, h.store(), h.pub(), flags...)
	b.check(t, readStore(t, h.store()))
}

// both are the state directory and the store.
func both(t *testing.T, h *home) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	for _, dir := range []string{"state", "store"} {
		for name, b := range treeOf(t, h.path(dir)) {
			if name != "lock" && !strings.HasPrefix(name, ".tmp/") && !strings.HasSuffix(name, ".durable-tmp") { // Whoever comes sweeps them.
				all[dir+"/"+name] = b
			}
		}
	}
	return all
}

// changes says what became of the files that are not the same.
func changes(before, after map[string][]byte) map[string]string {
	out := map[string]string{}
	for name, b := range before {
		if now, ok := after[name]; !ok {
			out[name] = "removed"
		} else if !bytes.Equal(now, b) {
			out[name] = "changed"
		}
	}
	for name := range after {
		if _, ok := before[name]; !ok && !strings.HasSuffix(name, "/") {
			out[name] = "made"
		}
	}
	return out
}

// outcomes is the table of what was refused and what was taken.
type outcomes struct {
	mu   sync.Mutex
	rows map[string][2][]string // by moment and file: taken, refused
}

func (o *outcomes) add(d damage, taken bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.rows == nil {
		o.rows = map[string][2][]string{}
	}
	key := fmt.Sprintf("%-24s %s", d.moment, d.path)
	row, i := o.rows[key], 1
	if taken {
		i = 0
	}
	row[i] = append(row[i], d.what)
	o.rows[key] = row
}

func (o *outcomes) print(t *testing.T) {
	for _, key := range slices.Sorted(maps.Keys(o.rows)) {
		t.Logf("%-80s taken %q, refused %d", key, o.rows[key][0], len(o.rows[key][1]))
	}
}
