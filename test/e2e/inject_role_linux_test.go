package e2e

import (
	"path/filepath"
	"strings"
)

// roles tells what each path of a trace is for. Temporary files are known by
// what becomes of them; where a fault comes first, by whose turn it is.
type roles struct {
	dir     string
	sealing bool // the spool has a segment whose seal comes next
	known   bool // the log has its identity
	above   map[string]bool
}

func newRoles(dir string) *roles {
	r := &roles{dir: dir, above: map[string]bool{}}
	for d := filepath.Dir(dir); ; d = filepath.Dir(d) {
		r.above[d] = true
		if d == filepath.Dir(d) {
			return r
		}
	}
}

func (r *roles) of(l *traceLine) string {
	path := l.file()
	role := r.role(path)
	r.follow(l, path)
	if role == elsewhere || l.call.call != "openat" {
		return role
	}
	switch {
	case strings.Contains(l.args, "O_CREAT"):
		return role + ", new"
	case strings.Contains(l.args, "O_RDWR"), strings.Contains(l.args, "O_WRONLY"):
		return role + ", to write"
	}
	return role + ", to read"
}

func (r *roles) role(path string) string {
	if r.above[path] {
		return "folder above"
	}
	rel, ok := strings.CutPrefix(path, r.dir)
	if !ok {
		return elsewhere
	}
	top, rest, _ := strings.Cut(strings.TrimPrefix(rel, "/"), "/")
	switch top {
	case "":
		return "folder above"
	case "state":
		return r.ofState(rest)
	case "store":
		return ofStore(rest)
	}
	return elsewhere
}

// kinds are the files of the state directory by the end of their names.
var kinds = map[string]string{
	".journal": "journal", ".mark": "watermark", ".segment": "spooled segment", ".seal": "spooled seal",
	".tiles": "spooled tiles", ".delivered": "delivered seal",
}

func (r *roles) ofState(rel string) string {
	kind := kinds[filepath.Ext(rel)]
	switch dir, base := filepath.Split(rel); {
	case rel == "":
		return "state folder"
	case strings.HasSuffix(rel, ".durable-tmp"):
		return "new " + r.becomes(dir)
	case dir == "records/" && kind != "":
		return "records' " + kind
	case kind != "":
		return kind
	case dir == "" && (rel == "journal" || rel == "spool" || rel == "records"):
		return base + " folder"
	}
	return rel
}

// becomes says what a temporary file in a folder of the state will be.
func (r *roles) becomes(folder string) string {
	switch {
	case folder == "journal/":
		return "journal"
	case folder == "records/":
		return "records/next"
	case folder == "spool/" && r.sealing:
		return "spooled seal"
	case folder == "spool/":
		return "spooled segment or tiles"
	case r.known:
		return "checkpoint"
	}
	return "identity"
}

func ofStore(rel string) string {
	dir, base := filepath.Split(rel)
	switch {
	case dir == ".tmp/" && strings.HasSuffix(base, ".lock"):
		return "store's lock"
	case dir == ".tmp/":
		return "new object"
	case strings.HasSuffix(base, ".zst"):
		return "stored segment"
	case strings.HasSuffix(base, ".seal"):
		return "stored seal"
	case strings.HasSuffix(base, ".tile"):
		return "stored tile"
	case rel == "":
		return "store folder"
	case rel == logName:
		return "log's folder"
	}
	return "store's " + strings.TrimPrefix(rel, logName+"/") + " folder"
}

// follow keeps whose turn it is.
func (r *roles) follow(l *traceLine, path string) {
	ext := filepath.Ext(path)
	switch {
	case l.failed || l.cut:
		if strings.Contains(l.args, "/state/spool/.") {
			r.sealing = false // The press begins again with the segment.
		}
	case path == filepath.Join(r.dir, "state", "identity"):
		r.known = true
	case l.call.call == "renameat" && (ext == ".segment" || ext == ".seal"):
		r.sealing = ext == ".segment"
	}
}
