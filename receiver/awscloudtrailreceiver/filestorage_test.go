package awscloudtrailreceiver

import (
	"context"
	"testing"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension/extensiontest"
)

// TestRestartWithTheRealFileStorage shows that positions outlive a process in the
// extension that the distribution ships.
func TestRestartWithTheRealFileStorage(t *testing.T) {
	x := newFixture(t)
	dir := t.TempDir()
	all := events("e", 12)
	x.put(t, eventFile, packed(t, logFile(all...)))
	for run, want := range [][]string{all, nil} {
		x.next = &pipeline{}
		r, err := newReceiver(x.config(t), x.set, x.next)
		if err != nil {
			t.Fatal(err)
		}
		store := openFileStorage(t, dir)
		host := &testHost{extensions: map[component.ID]component.Component{storageID: store}}
		if err := r.Start(context.Background(), host); err != nil {
			t.Fatal(err)
		}
		settles(t, "bodies", x.next.bodies, want)
		shutdown(t, r)
		if err := store.Shutdown(context.Background()); err != nil {
			t.Errorf("run %d: storage: %v", run, err)
		}
	}
}

func openFileStorage(t *testing.T, dir string) component.Component {
	t.Helper()
	factory := filestorage.NewFactory()
	cfg := factory.CreateDefaultConfig().(*filestorage.Config)
	cfg.Directory, cfg.FSync = dir, true
	set := extensiontest.NewNopSettings(factory.Type())
	set.ID = storageID
	store, err := factory.Create(context.Background(), set, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Start(context.Background(), componenttest.NewNopHost()); err != nil {
		t.Fatal(err)
	}
	return store
}
