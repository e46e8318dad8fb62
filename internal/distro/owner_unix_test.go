//go:build unix

package distro

import (
	"os"
	"path/filepath"
	"testing"
)

// What another user writes the collector cannot read.
func TestStateOwner(t *testing.T) {
	dir := t.TempDir()
	me := os.Geteuid()
	other := filepath.Join(dir, "other")
	if err := os.Mkdir(other, 0o700); err != nil {
		t.Fatal(err)
	}
	if me == 0 { // Nobody else can give a folder away.
		if err := os.Chown(other, 65534, 65534); err != nil {
			t.Fatal(err)
		}
		for _, at := range []string{other, filepath.Join(other, "state"), filepath.Join(other, "a", "b")} {
			if owner, ok := stateOwner(at, me); !ok || owner != 65534 {
				t.Errorf("%s is user %d's (%v), want 65534", at, owner, ok)
			}
			target, err := findIn(t, "test", siteConfig(site(t)), "processors: {hash_chain: {state_dir: "+at+"}}")
			if err != nil {
				t.Fatal(err)
			}
			err = target.checkOwner()
			if ExitCode(err) != exitUsage {
				t.Fatalf("%s: %v", at, err)
			}
			wantSays(t, err.Error(), "state_dir: "+at, "is user nobody's, and this is user root", "sudo -u nobody")
		}
	}
	if owner, ok := stateOwner(dir, me); !ok || owner != me {
		t.Errorf("the folder is user %d's (%v), want %d", owner, ok, me)
	}
	if _, ok := stateOwner(filepath.Join(dir, "state"), 4711); ok {
		t.Error("whoever may make a folder owns it")
	}
}
