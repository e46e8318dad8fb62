package cloudtrail

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/audittest"
)

// inWindows parses data by windows of a size, from a reader that gives little at a time.
func inWindows(window int) audittest.Parse {
	return func(data []byte, emit func(*audit.Record) error) (audit.Counts, error) {
		return ParseReader(iotest.HalfReader(bytes.NewReader(data)), window, emit)
	}
}

// copies returns the records of data; their bodies need not lie in it.
func copies(t *testing.T, parse audittest.Parse, data []byte) (list []string) {
	t.Helper()
	counts, err := parse(data, func(r *audit.Record) error {
		list = append(list, fmt.Sprintf("%s %v %v %v %v %s", r.EventName, r.Time, r.Resource, r.Attributes, r.Quarantined, r.Body))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if counts.Events != len(list) {
		t.Errorf("counts %d events, emitted %d", counts.Events, len(list))
	}
	return list
}

// A sound file gives the same records in windows of any size. A digest is whole or
// nothing: its body is the file.
func TestWindowsGiveTheSameRecords(t *testing.T) {
	files, err := filepath.Glob("testdata/*.json*")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		if strings.Contains(file, "damaged") || strings.Contains(file, "digest") {
			continue
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want := copies(t, Parse, data)
		for _, window := range []int{1, 100, 1000, 4096, len(data), len(data) + 1} {
			if got := copies(t, inWindows(window), data); !reflect.DeepEqual(got, want) {
				t.Errorf("%s, window %d: %d records, want %d", file, window, len(got), len(want))
			}
		}
	}
}

// Of a damaged file no window loses an event that Parse finds, and none is invented.
func TestWindowsOverDamage(t *testing.T) {
	const event = `{"eventVersion":"1.11","eventID":"e%d","eventName":"GetObject","eventSource":"s3.amazonaws.com","requestParameters":{"key":"a,]}\"\\"}}`
	var events []string
	for i := range 60 {
		events = append(events, fmt.Sprintf(event, i))
	}
	whole := `{"Records":[` + strings.Join(events, ",") + `]}`
	for name, data := range map[string]string{
		"no damage":     whole,
		"cut off":       whole[:len(whole)-77],
		"junk between":  strings.Replace(whole, `},{"eventVersion":"1.11","eventID":"e30"`, `}x,{"eventVersion":"1.11","eventID":"e30"`, 1),
		"no event":      strings.Replace(whole, events[30], `17`, 1),
		"trailing junk": whole + "junk",
		"second file":   whole + "\n" + whole,
		"empty list":    `{"Records":[]}`,
		"nothing":       "",
		"no list":       strings.Join(events, "\n"),
		"one line":      strings.Join(events, ""),
		"bare list":     "\xef\xbb\xbf [" + strings.Join(events, " , ") + "]",
	} {
		want := count(copies(t, Parse, []byte(data)))
		for _, window := range []int{64, 300, 1 << 10, 1 << 20} {
			got := count(copies(t, inWindows(window), []byte(data)))
			for event, n := range want {
				if got[event] != n {
					t.Errorf("%s, window %d: %d of\n%s\nwant %d", name, window, got[event], event, n)
				}
			}
			if len(got) > len(want)+1 {
				t.Errorf("%s, window %d: %d records, want %d", name, window, len(got), len(want))
			}
		}
	}
}

// count numbers the understood records.
func count(list []string) map[string]int {
	m := map[string]int{}
	for _, r := range list {
		if !strings.Contains(r, "quarantined") {
			m[r]++
		}
	}
	return m
}

func TestParseReaderReturnsOthersErrors(t *testing.T) {
	broken := errors.New("broken")
	if _, err := ParseReader(iotest.ErrReader(broken), 100, func(*audit.Record) error { return nil }); !errors.Is(err, broken) {
		t.Errorf("reader's error: %v", err)
	}
	data := `{"Records":[` + strings.Repeat(`{"eventVersion":"1.11","eventID":"e"},`, 100) + `{"eventVersion":"1.11"}]}`
	calls := 0
	_, err := ParseReader(strings.NewReader(data), 100, func(*audit.Record) error { calls++; return broken })
	if !errors.Is(err, broken) || calls != 1 {
		t.Errorf("emit's error: %v after %d calls", err, calls)
	}
}

// Memory follows the window and not the file.
func TestWindowBoundsMemory(t *testing.T) {
	event := []byte(`{"eventVersion":"1.11","eventID":"e","eventName":"GetObject"},`)
	body := io.MultiReader(strings.NewReader(`{"Records":[`), &repeated{event, 1 << 20, 0}, strings.NewReader(`{"eventVersion":"1.11"}]}`))
	s := &windows{r: body, buf: make([]byte, 0, 1<<16)}
	for {
		_, err := s.next()
		if cap(s.buf) > 1<<18 {
			t.Fatalf("buffer of %d bytes", cap(s.buf))
		}
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// repeated gives what n times over.
type repeated struct {
	what []byte
	n    int
	at   int
}

func (r *repeated) Read(p []byte) (int, error) {
	if r.n == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.what[r.at:])
	if r.at += n; r.at == len(r.what) {
		r.at = 0
		r.n--
	}
	return n, nil
}
