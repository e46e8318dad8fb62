// Package storetest holds the conformance suite that every store passes, and
// store doubles: one in memory, and one that injects faults.
package storetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/store"
)

// Caps says what a store is able to and how hard the suite may press it. The
// zero value is a store with neither versions nor retention.
type Caps struct {
	// Retention: PutOnce sets it and Stat reports it. Without, any
	// retention must be refused with [store.ErrRetention].
	Retention bool
	// RetentionLost: the server takes a retention and forgets it, without a
	// word. PutOnce must notice and say [store.ErrRetention].
	RetentionLost bool
	// NotAtomic: the server writes unconditionally, and the store works in its
	// weaker mode: of several that put other bytes at one name at once, more
	// than one can succeed.
	NotAtomic bool
	// Objects is the number of objects to list; 0 means 1,200, which is
	// more than a page of any cloud's listing.
	Objects int
	// Large is the size in bytes of a large object; 0 means 24 MiB.
	Large int
}

// Run checks the contract of [store.Store]. open returns an empty store and is
// called once for each part; the suite closes what it returns.
func Run(t *testing.T, open func(t *testing.T) store.Store, caps Caps) {
	if caps.Objects == 0 {
		caps.Objects = 1200
	}
	if caps.Large == 0 {
		caps.Large = 24 << 20
	}
	for _, part := range []struct {
		name string
		run  func(*testing.T, store.Store, Caps)
	}{
		{"ID", testID},
		{"PutOnce", testPutOnce},
		{"PutOnceKeepsNothing", testKeepsNothing},
		{"RacingWriters", testRacers},
		{"RacingEqualWriters", testEqualRacers},
		{"ManyNames", testManyNames},
		{"Empty", testEmpty},
		{"Large", testLarge},
		{"GetRange", testGetRange},
		{"NotFound", testNotFound},
		{"Stat", testStat},
		{"Versions", testVersions},
		{"Names", testNames},
		{"HostileNames", testHostileNames},
		{"Cancelled", testCancelled},
		{"List", testList},
		{"ListOrder", testListOrder},
		{"ListStops", testListStops},
		{"Retention", testRetention},
	} {
		if caps.NotAtomic && part.name == "RacingWriters" {
			continue
		}
		t.Run(part.name, func(t *testing.T) {
			s := open(t)
			defer func() {
				if err := s.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
			}()
			part.run(t, s, caps)
		})
	}
}

func put(t testing.TB, s store.Store, name string, data []byte) store.Info {
	t.Helper()
	info, err := s.PutOnce(t.Context(), name, data, store.PutOptions{})
	if err != nil {
		t.Fatalf("PutOnce(%q, %d bytes): %v", name, len(data), err)
	}
	return info
}

func get(t testing.TB, s store.Store, name string) ([]byte, store.Info) {
	t.Helper()
	r, info, err := s.Get(t.Context(), name)
	if err != nil {
		t.Fatalf("Get(%q): %v", name, err)
	}
	data, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		t.Fatalf("read %q: %v", name, err)
	}
	return data, info
}

// holds checks that name holds data, by digest, and that all descriptions fit.
func holds(t testing.TB, s store.Store, name string, data []byte) {
	t.Helper()
	got, info := get(t, s, name)
	if want := sha256.Sum256(data); sha256.Sum256(got) != want {
		t.Fatalf("%q holds %d bytes that hash to %x, want %d bytes, %x", name, len(got), sha256.Sum256(got), len(data), want)
	}
	fits(t, "Get", info, name, data)
	info, err := s.Stat(t.Context(), name)
	if err != nil {
		t.Fatalf("Stat(%q): %v", name, err)
	}
	fits(t, "Stat", info, name, data)
}

func fits(t testing.TB, call string, info store.Info, name string, data []byte) {
	t.Helper()
	if info.Name != name || info.Size != int64(len(data)) || info.DeleteMarker || !info.Latest {
		t.Errorf("%s(%q) describes %+v, want the latest, of %d bytes", call, name, info, len(data))
	}
	if info.SHA256 != [32]byte{} && info.SHA256 != sha256.Sum256(data) {
		t.Errorf("%s(%q) says SHA-256 %x, want %x", call, name, info.SHA256, sha256.Sum256(data))
	}
}

func refused(t testing.TB, call string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: error %v, want %v", call, err, want)
	}
}

// noise returns n bytes that no compression makes shorter and that differ by
// seed.
func noise(n int, seed string) []byte {
	out := make([]byte, 0, n+sha256.Size)
	for i := 0; len(out) < n; i++ {
		sum := sha256.Sum256(fmt.Appendf(nil, "%s/%d", seed, i))
		out = append(out, sum[:]...)
	}
	return out[:n]
}

func testID(t *testing.T, s store.Store, _ Caps) {
	first, second := s.ID(), s.ID()
	if first == "" || first != second {
		t.Errorf("ID %q and then %q, want one that is stable and not empty", first, second)
	}
}

func testPutOnce(t *testing.T, s store.Store, _ Caps) {
	const name = "log/seals/00000000000000000000.seal"
	first := []byte("first\x00\r\n\xff")
	info := put(t, s, name, first)
	fits(t, "PutOnce", info, name, first)
	if info.SHA256 != sha256.Sum256(first) {
		t.Errorf("PutOnce says SHA-256 %x, want %x", info.SHA256, sha256.Sum256(first))
	}
	holds(t, s, name, first)

	again := put(t, s, name, bytes.Clone(first))
	fits(t, "PutOnce again", again, name, first)
	for _, other := range [][]byte{[]byte("second"), append(bytes.Clone(first), 'x'), first[:3], {}, []byte("First\x00\r\n\xff")} {
		_, err := s.PutOnce(t.Context(), name, other, store.PutOptions{})
		refused(t, fmt.Sprintf("PutOnce(%q) over %q", other, first), err, store.ErrExists)
		holds(t, s, name, first)
	}
	if versions, err := s.Versions(t.Context(), name); err != nil || len(versions) != 1 {
		t.Errorf("after refused overwrites there are %d versions (%v), want 1", len(versions), err)
	}
}

func testKeepsNothing(t *testing.T, s store.Store, _ Caps) {
	data := []byte("before")
	put(t, s, "a", data)
	copy(data, "after!")
	holds(t, s, "a", []byte("before"))
}

func testEmpty(t *testing.T, s store.Store, _ Caps) {
	put(t, s, "empty", nil)
	put(t, s, "empty", []byte{})
	holds(t, s, "empty", nil)
	_, err := s.PutOnce(t.Context(), "empty", []byte("x"), store.PutOptions{})
	refused(t, "PutOnce over an empty object", err, store.ErrExists)
	b, err := s.GetRange(t.Context(), "empty", 0, 10)
	if err != nil || len(b) != 0 {
		t.Errorf("GetRange of an empty object: %q, %v", b, err)
	}
}

func testLarge(t *testing.T, s store.Store, caps Caps) {
	data := noise(caps.Large, "large")
	put(t, s, "large", data)
	holds(t, s, "large", data)
	put(t, s, "large", data)
	data[len(data)-1] ^= 1
	_, err := s.PutOnce(t.Context(), "large", data, store.PutOptions{})
	refused(t, "PutOnce with another last byte", err, store.ErrExists)
}

func testGetRange(t *testing.T, s store.Store, _ Caps) {
	data := noise(1000, "range")
	put(t, s, "r", data)
	for _, c := range []struct{ off, n, from, to int64 }{
		{0, 1000, 0, 1000}, {0, 1, 0, 1}, {999, 1, 999, 1000}, {10, 20, 10, 30}, {0, 0, 0, 0}, {500, 0, 0, 0},
		{0, 1001, 0, 1000}, {990, 100, 990, 1000}, {1000, 1, 0, 0}, {1000, 0, 0, 0}, {5000, 10, 0, 0},
		{0, 1 << 62, 0, 1000}, {1 << 62, 1 << 62, 0, 0},
	} {
		b, err := s.GetRange(t.Context(), "r", c.off, c.n)
		if err != nil || !bytes.Equal(b, data[c.from:c.to]) {
			t.Errorf("GetRange(%d, %d): %d bytes, %v; want bytes %d to %d", c.off, c.n, len(b), err, c.from, c.to)
		}
	}
	for _, c := range [][2]int64{{-1, 1}, {0, -1}, {-1 << 63, 1}} {
		if b, err := s.GetRange(t.Context(), "r", c[0], c[1]); err == nil {
			t.Errorf("GetRange(%d, %d): %d bytes, want an error", c[0], c[1], len(b))
		}
	}
}

func testNotFound(t *testing.T, s store.Store, _ Caps) {
	put(t, s, "log/there", []byte("x"))
	for _, name := range []string{"missing", "log/missing", "log/the", "log", "log/there/below", "other/there"} {
		_, _, err := s.Get(t.Context(), name)
		refused(t, "Get "+name, err, store.ErrNotFound)
		_, err = s.GetRange(t.Context(), name, 0, 1)
		refused(t, "GetRange "+name, err, store.ErrNotFound)
		_, err = s.Stat(t.Context(), name)
		refused(t, "Stat "+name, err, store.ErrNotFound)
		_, err = s.Versions(t.Context(), name)
		refused(t, "Versions "+name, err, store.ErrNotFound)
	}
}

func testStat(t *testing.T, s store.Store, _ Caps) {
	put(t, s, "a/b", []byte("12345"))
	info, err := s.Stat(t.Context(), "a/b")
	if err != nil {
		t.Fatal(err)
	}
	fits(t, "Stat", info, "a/b", []byte("12345"))
	// Clocks of stores may be off, but not by a day.
	if age := time.Since(info.Modified); age.Abs() > 24*time.Hour || info.Modified.Location() != time.UTC {
		t.Errorf("Stat says modified %v, want about now in UTC", info.Modified)
	}
	if !info.Retention.IsZero() {
		t.Errorf("Stat says %+v of an object put without retention", info.Retention)
	}
}

func testVersions(t *testing.T, s store.Store, _ Caps) {
	put(t, s, "v", []byte("123"))
	put(t, s, "v2", []byte("another name with the same beginning"))
	versions, err := s.Versions(t.Context(), "v")
	if err != nil || len(versions) != 1 {
		t.Fatalf("Versions: %d, %v; want 1", len(versions), err)
	}
	fits(t, "Versions", versions[0], "v", []byte("123"))
	if v, ok := s.(store.Versioned); ok {
		r, info, err := v.GetVersion(t.Context(), "v", versions[0].Version)
		if err != nil {
			t.Fatalf("GetVersion: %v", err)
		}
		defer r.Close()
		data, err := io.ReadAll(r)
		if err != nil || string(data) != "123" || info.Version != versions[0].Version {
			t.Errorf("GetVersion: %q, %+v, %v", data, info, err)
		}
		versionsListed(t, v, map[string]int{"v": 1, "v2": 1})
	}
}

// versionsListed checks how many versions of which names are listed, and that
// names are in order and each begins with its latest version.
func versionsListed(t testing.TB, s store.Versioned, want map[string]int) {
	t.Helper()
	got, last := map[string]int{}, ""
	for info, err := range s.ListVersions(t.Context(), "", "") {
		if err != nil {
			t.Fatalf("ListVersions: %v", err)
		}
		if info.Name < last {
			t.Errorf("ListVersions yields %q after %q", info.Name, last)
		}
		if first := got[info.Name] == 0; info.Latest != first {
			t.Errorf("ListVersions: version %d of %q says latest: %v", got[info.Name], info.Name, info.Latest)
		}
		got[info.Name]++
		last = info.Name
	}
	if maps.Equal(got, want) {
		return
	}
	t.Errorf("ListVersions yields %d names, want %d", len(got), len(want))
	for name := range want {
		if got[name] != want[name] {
			t.Errorf("ListVersions yields %d versions of %q, want %d", got[name], name, want[name])
			return
		}
	}
}

func testCancelled(t *testing.T, s store.Store, _ Caps) {
	put(t, s, "there", []byte("x"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.PutOnce(ctx, "new", []byte("x"), store.PutOptions{})
	refused(t, "PutOnce", err, context.Canceled)
	_, err = s.Stat(t.Context(), "new")
	refused(t, "Stat after a cancelled PutOnce", err, store.ErrNotFound)
	_, _, err = s.Get(ctx, "there")
	refused(t, "Get", err, context.Canceled)
	_, err = s.GetRange(ctx, "there", 0, 1)
	refused(t, "GetRange", err, context.Canceled)
	_, err = s.Stat(ctx, "there")
	refused(t, "Stat", err, context.Canceled)
	_, err = s.Versions(ctx, "there")
	refused(t, "Versions", err, context.Canceled)
	_, err = names(s.List(ctx, "", ""))
	refused(t, "List", err, context.Canceled)
}

func testRetention(t *testing.T, s store.Store, caps Caps) {
	until := time.Now().Add(48 * time.Hour).UTC().Truncate(time.Second)
	want := store.Retention{Mode: store.ModeGovernance, Until: until}
	_, err := s.PutOnce(t.Context(), "kept", []byte("x"), store.PutOptions{Retention: want})
	if caps.RetentionLost {
		refused(t, "PutOnce with retention that is lost", err, store.ErrRetention)
		return
	}
	if !caps.Retention {
		refused(t, "PutOnce with retention", err, store.ErrRetention)
		_, err = s.Stat(t.Context(), "kept")
		refused(t, "Stat after a refused PutOnce", err, store.ErrNotFound)
		return
	}
	if err != nil {
		t.Fatalf("PutOnce with retention: %v", err)
	}
	info, err := s.Stat(t.Context(), "kept")
	if err != nil {
		t.Fatal(err)
	}
	if r := info.Retention; r.Mode != want.Mode || r.Until.Before(until) || r.LegalHold {
		t.Errorf("Stat says %+v, want at least %+v", r, want)
	}
}
