package distro

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
)

// checkOwner refuses to work as another user than the state directory's: what it
// would write the collector could not read. Where there is none yet, root would
// make one of its own in the collector's place.
func (t *target) checkOwner() error {
	me := os.Geteuid()
	if owner, ok := stateOwner(t.chain.StateDir, me); ok && owner != me {
		return usagef("state_dir: %s is user %s's, and this is user %s: the collector could not read what is written there; run it as the collector's user: sudo -u %s …",
			t.chain.StateDir, userName(owner), userName(me), userName(owner))
	}
	return nil
}

// stateOwner is whose the state directory is, or, for root, whose the folder is
// in which it would be made. ok is false if that says nothing.
func stateOwner(dir string, me int) (owner int, ok bool) {
	for at := dir; ; at = filepath.Dir(at) {
		info, err := os.Stat(at)
		switch {
		case err == nil && (at == dir || me == 0):
			return ownerOf(info)
		case !errors.Is(err, fs.ErrNotExist) || at == filepath.Dir(at):
			return 0, false
		}
	}
}

func userName(id int) string {
	if u, err := user.LookupId(strconv.Itoa(id)); err == nil {
		return u.Username
	}
	return fmt.Sprintf("#%d", id)
}
