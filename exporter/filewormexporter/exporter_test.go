package filewormexporter

import (
	"context"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-custody/custody/internal/delivery"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/store/dirstore"
)

const (
	origin    = "custody.example/test"
	shortWait = time.Second
)

func config(dir string) *Config {
	cfg := createDefaultConfig()
	cfg.Dir.Path, cfg.Delivery.LogKeys, cfg.Dir.Immutable = dir, []string{filepath.Join("testdata", "log.pub")}, "off"
	return cfg
}

func start(t *testing.T, cfg *Config) exporter.Logs {
	t.Helper()
	e := create(t, cfg)
	require.NoError(t, e.Start(t.Context(), componenttest.NewNopHost()))
	return e
}

func create(t *testing.T, cfg *Config) exporter.Logs {
	t.Helper()
	require.NoError(t, cfg.Validate())
	e, err := NewFactory().CreateLogs(t.Context(), exportertest.NewNopSettings(typ), cfg)
	require.NoError(t, err)
	return e
}

func send(t *testing.T, e exporter.Logs, s ledgertest.Segment) (*delivery.Book, error) {
	t.Helper()
	ctx, book := delivery.WithBook(t.Context())
	ld := (&delivery.Objects{Segment: s.Object, Seal: s.Seal.Bytes()}).Logs()
	ld.MarkReadOnly()
	return book, e.ConsumeLogs(ctx, ld)
}

func TestStoresFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "store")
	chain := ledgertest.Chain(t, ledgertest.Signer(t, origin), 3, 2)
	e := start(t, config(dir))
	require.False(t, e.Capabilities().MutatesData)
	for _, s := range chain {
		book, err := send(t, e, s)
		require.NoError(t, err)
		require.True(t, book.Complete(1))
	}
	require.NoError(t, e.Shutdown(t.Context()))
	for _, s := range chain {
		for name, want := range map[string][]byte{s.Seal.SegmentName(): s.Object, s.Seal.Name(): s.Seal.Bytes()} {
			path := filepath.Join(dir, "test", filepath.FromSlash(name))
			got, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, want, got)
			info, err := os.Stat(path)
			require.NoError(t, err)
			require.Zero(t, info.Mode().Perm()&0o222, "%s is writable", name)
		}
	}
	// The next process goes on where this one stopped.
	e = start(t, config(dir))
	book, err := send(t, e, chain[1])
	require.NoError(t, err)
	require.True(t, book.Complete(1))
	require.NoError(t, e.Shutdown(t.Context()))
}

// The name in receipts is that of the store itself.
func TestStoreID(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a store")
	s, err := dirstore.Open(dir, dirstore.Options{Immutable: dirstore.ImmutableOff})
	require.NoError(t, err)
	require.NoError(t, s.Close())
	e := start(t, config(dir))
	_, err = send(t, e, ledgertest.Chain(t, ledgertest.Signer(t, origin), 1, 1)[1])
	require.ErrorIs(t, err, delivery.ErrPending)
	require.ErrorContains(t, err, "store "+s.ID()+": ")
	u, err := url.Parse(s.ID())
	require.NoError(t, err)
	require.Equal(t, dir, filepath.FromSlash(u.Path))
	require.NoError(t, e.Shutdown(t.Context()))
}

func TestCreateReadsKeys(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	good := filepath.Join("testdata", "log.pub")
	private := write("log.key", "PRIVATE+KEY+custody.example/test+f3020c4a+AAAA\n")
	for name, c := range map[string]struct {
		keys []string
		want []string
	}{
		"missing":     {[]string{good, filepath.Join(dir, "none.pub")}, []string{"log_keys[1]: ", "none.pub", "custody keygen"}},
		"private":     {[]string{private}, []string{"log_keys[0]: " + private, "is a private key; give the public one (.pub)"}},
		"noise":       {[]string{write("noise", "hello\n")}, []string{"line 1 is not a verifier key"}},
		"empty":       {[]string{write("empty", "# none\n")}, []string{"no verifier key found"}},
		"folder":      {[]string{dir}, []string{"is not a file of keys"}},
		"two at once": {[]string{private, dir}, []string{"log_keys[0]: ", "log_keys[1]: "}},
	} {
		cfg := config(dir)
		cfg.Delivery.LogKeys = c.keys
		_, err := NewFactory().CreateLogs(t.Context(), exportertest.NewNopSettings(typ), cfg)
		for _, want := range c.want {
			require.ErrorContains(t, err, want, name)
		}
	}
}

func TestKeyInTwoFiles(t *testing.T) {
	cfg := config(t.TempDir())
	cfg.Delivery.LogKeys = append(cfg.Delivery.LogKeys, cfg.Delivery.LogKeys...)
	e := start(t, cfg)
	_, err := send(t, e, ledgertest.Chain(t, ledgertest.Signer(t, origin), 3)[0])
	require.NoError(t, err)
	require.NoError(t, e.Shutdown(t.Context()))
}

func TestCreateTouchesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	e := create(t, config(dir))
	require.NoError(t, e.Shutdown(t.Context()))
	require.NoDirExists(t, dir)
}

func TestUnwritableAtStart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	e := create(t, config(filepath.Join(file, "store")))
	err := e.Start(t.Context(), componenttest.NewNopHost())
	require.ErrorContains(t, err, "path: store unfit: store directory")
	require.NoError(t, e.Shutdown(t.Context()))
	if os.Getuid() == 0 {
		return // Root writes everywhere; the rest is dirstore's own test.
	}
	dir := filepath.Join(t.TempDir(), "locked")
	require.NoError(t, os.Mkdir(dir, 0o500))
	e = create(t, config(filepath.Join(dir, "store")))
	require.ErrorIs(t, e.Start(t.Context(), componenttest.NewNopHost()), fs.ErrPermission)
	require.NoError(t, e.Shutdown(t.Context()))
}

// The store's directory disappears, as with an unmounted disk, and comes back.
func TestDirectoryGone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	s := ledgertest.Chain(t, ledgertest.Signer(t, origin), 3)[0]
	e := start(t, config(dir))
	require.NoError(t, os.Rename(dir, dir+".away"))
	book, err := send(t, e, s)
	require.ErrorIs(t, err, delivery.ErrPending)
	require.False(t, book.Complete(0))
	require.NoDirExists(t, dir)
	require.NoError(t, os.Rename(dir+".away", dir))
	require.Eventually(t, func() bool {
		_, err = send(t, e, s)
		return err == nil
	}, 10*shortWait, shortWait/20, "%v", err)
	require.NoError(t, e.Shutdown(t.Context()))
}

func TestSaysHowFilesAreProtected(t *testing.T) {
	core, logs := observer.New(zap.InfoLevel)
	set := exportertest.NewNopSettings(typ)
	set.Logger = zap.New(core)
	e, err := NewFactory().CreateLogs(t.Context(), set, config(t.TempDir()))
	require.NoError(t, err)
	require.NoError(t, e.Start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, e.Shutdown(context.Background()))
	said := logs.FilterMessage("stored files are read-only but not immutable").All()
	require.Len(t, said, 1)
	require.Equal(t, "switched off (immutable: off)", said[0].ContextMap()["reason"])
}
