package e2e

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestQuickstart(t *testing.T) {
	t.Run("examples", func(t *testing.T) {
		t.Parallel()
		quickstart(t, fromRoot(t, "examples/cloudtrail"))
	})
	if samples := os.Getenv("CUSTODY_SAMPLES"); samples != "" {
		t.Run("samples", func(t *testing.T) {
			t.Parallel()
			quickstart(t, samples)
		})
	}
}

func quickstart(t *testing.T, in string) {
	events := readEvents(t, in)
	h := newHome(t, in)
	c := start(t, h)
	awaitEvents(t, h, len(events))
	c.stop(t)
	verify(t, 0, h.store(), h.pub())
	wantEvents(t, h, events)

	// The same files once more: nothing of them is sealed twice.
	c = start(t, h)
	time.Sleep(2 * time.Second)
	c.stop(t)
	verify(t, 0, h.store(), h.pub())
	wantEvents(t, h, events)
	t.Logf("%d events, each once, each as it was in its file", len(events))
}

// awaitEvents waits until so many events are sealed and stored.
func awaitEvents(t *testing.T, h *home, n int) {
	t.Helper()
	seals := -1
	eventually(t, fmt.Sprintf("%d sealed events", n), func() bool {
		if now := sealCount(h.store()); now == seals {
			return false
		} else {
			seals = now
		}
		return len(eventsIn(readStore(t, h.store()))) >= n
	})
}

func eventsIn(records []stored) []stored {
	var out []stored
	for _, r := range records {
		if r.Custody == nil {
			out = append(out, r)
		}
	}
	return out
}

// wantEvents wants every event of every file once, byte for byte.
func wantEvents(t *testing.T, h *home, events map[string]string) {
	t.Helper()
	got := eventsIn(readStore(t, h.store()))
	seen := map[string]bool{}
	for i := range got {
		source := got[i].attribute("audit.ingest.source")
		want, known := events[source]
		switch {
		case !known:
			t.Errorf("record %d comes from %q, where no event is", got[i].Index, source)
		case seen[source]:
			t.Errorf("record %d: %s is there twice", got[i].Index, source)
		case got[i].text(t) != want:
			t.Errorf("record %d: its body is not %s\ngot  %s\nwant %s", got[i].Index, source, got[i].text(t), want)
		}
		seen[source] = true
	}
	if len(got) != len(events) {
		t.Errorf("%d records for %d events", len(got), len(events))
	}
}

// readEvents reads the events of all files, by the name that the receiver gives
// to their place: file://<path below the folder>#<number in the file>.
func readEvents(t *testing.T, dir string) map[string]string {
	t.Helper()
	events := map[string]string{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".json") && !strings.HasSuffix(path, ".json.gz") {
			return err
		}
		list, err := eventsOf(filepath.Join(dir, path))
		for i, e := range list {
			events[fmt.Sprintf("file://%s#%d", path, i)] = string(e)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(events) == 0 {
		t.Fatalf("no events below %s", dir)
	}
	return events
}

// eventsOf cuts the events out of a file: {"Records":[…]} or an array.
func eventsOf(path string) ([]json.RawMessage, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if strings.HasSuffix(path, ".gz") {
		if b, err = gunzip(b); err != nil {
			return nil, err
		}
	}
	var list []json.RawMessage
	if b = bytes.TrimSpace(b); len(b) > 0 && b[0] == '[' {
		return list, json.Unmarshal(b, &list)
	}
	var file struct{ Records []json.RawMessage }
	if err := json.Unmarshal(b, &file); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return file.Records, nil
}

func gunzip(b []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}
