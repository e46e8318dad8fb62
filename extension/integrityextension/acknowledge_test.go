package integrityextension

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-custody/custody/internal/integrity/incident"
)

// forgotten are the heads that were to be forgotten.
type forgotten []string

func (f *forgotten) Forget(store, log, _, _ string) error {
	*f = append(*f, store+" "+log)
	return nil
}

// A head is forgotten only for an incident that is open and is about a head, and
// that is told like the acknowledgement.
func TestForgetIsTold(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	rollback := incident.Finding{Kind: incident.Rollback, Place: incident.Place{Store: "s3://x", Log: "gateway-0"}}
	peers := incident.Finding{Kind: incident.Fork, Place: incident.Place{Store: "s3://x", Log: "gateway-0", Peer: "peer b"}}
	for name, c := range map[string]struct {
		f     incident.Finding
		ended bool
		taken bool
	}{
		"open": {f: rollback, taken: true}, "ended": {f: rollback, ended: true}, "of a peer": {f: peers},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := incident.Open(incident.Settings{Dir: t.TempDir(), Now: func() time.Time { return now }})
			require.NoError(t, err)
			defer func() { require.NoError(t, b.Close()) }()
			require.NoError(t, b.Report(c.f))
			id := b.Incidents(incident.Filter{})[0].ID
			if c.ended {
				require.NoError(t, b.Acknowledge(id, "jane", "a drill"))
				now = now.Add(time.Minute)
				require.NoError(t, b.Swept(c.f.Place, now, c.f.Kind))
			}
			told := len(b.Events(0, 100))
			dir, heads := t.TempDir(), &forgotten{}
			path := filepath.Join(dir, id+forgetSuffix)
			require.NoError(t, os.WriteFile(path, []byte("joe: emptied\n"), 0o600))
			core, said := observer.New(zap.WarnLevel)
			acknowledge(dir, time.Now().Add(time.Minute), operator{b, heads}, zap.New(core))
			require.NoFileExists(t, path)
			events := b.Events(0, 100)[told:]
			if !c.taken {
				require.Empty(t, *heads)
				require.Empty(t, events)
				require.Equal(t, 1, said.FilterMessageSnippet("was not taken").Len())
				return
			}
			require.Equal(t, forgotten{"s3://x gateway-0"}, *heads)
			require.Len(t, events, 1)
			require.Equal(t, "HEAD FORGOTTEN: emptied", events[0].Incident.Acknowledged.Why)
		})
	}
}

// A file whose time is still to come is looked at, too; one that is being written
// is not.
func TestTimesOfAcknowledgements(t *testing.T) {
	for _, c := range []struct {
		ahead time.Duration
		said  int
	}{{365 * 24 * time.Hour, 1}, {settled / 2, 0}, {-settled / 2, 0}, {-time.Hour, 1}} {
		dir, now := t.TempDir(), time.Now()
		path := filepath.Join(dir, "nonsense")
		require.NoError(t, os.WriteFile(path, []byte("x"), 0o600))
		require.NoError(t, os.Chtimes(path, now, now.Add(c.ahead)))
		core, said := observer.New(zap.WarnLevel)
		acknowledge(dir, now, operator{}, zap.New(core))
		require.Equal(t, c.said, said.FilterMessageSnippet("was not taken").Len(), "%v", c.ahead)
	}
}
