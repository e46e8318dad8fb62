package e2e

import (
	"bufio"
	"cmp"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A step is a system call and what it is about.
type step struct{ call, role string }

// elsewhere is the role of what is neither state nor store: sockets, the
// configuration, /proc.
const elsewhere = "elsewhere"

// A call is one line of a trace.
type call struct {
	step
	path     string // within the home, "" elsewhere
	at       string // seconds since the epoch, microseconds behind the point
	nth      int    // among the thread's calls of this kind
	failed   bool
	injected bool
	cut      bool // the process ended in it
}

var (
	callLine  = regexp.MustCompile(`^(\d+\.\d+) (\w+)\((.*)$`)
	quotedArg = regexp.MustCompile(`"((?:[^"\\]|\\.)*)"`)
	fdArg     = regexp.MustCompile(`^-?\d+<([^>]*)>`)
)

// readTrace reads what strace wrote of a run, in the order of time.
func readTrace(t *testing.T, dir string, h *home) []call {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "thread.*"))
	if err != nil {
		t.Fatal(err)
	}
	var lines []traceLine
	for _, file := range files {
		lines = append(lines, readThread(t, file)...)
	}
	slices.SortStableFunc(lines, func(a, b traceLine) int { return cmp.Compare(a.at, b.at) })
	r := newRoles(h.dir)
	calls := make([]call, 0, len(lines))
	for _, l := range lines {
		c := l.call
		c.role = r.of(&l)
		if rel, ok := strings.CutPrefix(l.file(), h.dir+"/"); ok {
			c.path = rel
		}
		calls = append(calls, c)
	}
	return calls
}

// A traceLine is a call whose role is not known yet.
type traceLine struct {
	call
	args string
}

func readThread(t *testing.T, file string) []traceLine {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var lines []traceLine
	nth := map[string]int{}
	in := bufio.NewScanner(f)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		m := callLine.FindStringSubmatch(in.Text())
		if m == nil {
			continue // The thread's end.
		}
		nth[m[2]]++
		l := traceLine{args: m[3]}
		l.call.call, l.at, l.nth = m[2], m[1], nth[m[2]]
		l.injected = strings.HasSuffix(l.args, "(INJECTED)")
		l.failed = strings.Contains(l.args, ") = -1 ")
		l.cut = strings.HasSuffix(l.args, "= ?") || strings.HasSuffix(l.args, "<unfinished ...>")
		lines = append(lines, l)
	}
	if err := in.Err(); err != nil {
		t.Fatal(err)
	}
	return lines
}

// file is the file that a call is about; of two it is the new name.
func (l *traceLine) file() string {
	if m := fdArg.FindStringSubmatch(l.args); m != nil {
		return m[1]
	}
	if m := quotedArg.FindAllStringSubmatch(l.args, 2); m != nil {
		return m[len(m)-1][1]
	}
	return ""
}
