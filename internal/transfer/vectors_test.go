package transfer

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"go.opentelemetry.io/collector/component/componenttest"

	"github.com/otelcol-custody/custody/internal/keyfile"
	"github.com/otelcol-custody/custody/internal/wormexport"
	"github.com/otelcol-custody/custody/ledger/archive"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/verify"
	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/dirstore"
	"github.com/otelcol-custody/custody/store/storetest"
)

// judged returns the codes of what verifiers find in the logs of a directory.
func judged(t *testing.T, dir string, keys *checkpoint.Keys) (codes []verify.Code) {
	t.Helper()
	logs, err := archive.Logs(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	for _, log := range logs {
		r, err := verify.Log(t.Context(), os.DirFS(filepath.Join(dir, log)), log, verify.Options{Keys: keys, Now: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range r.Findings {
			codes = append(codes, f.Code)
		}
	}
	return codes
}

// ends are the findings that end a log's replica. Others are of what is not
// copied, or within records, which replicate does not read.
func ends(code verify.Code) bool {
	switch code {
	case verify.SealMissing, verify.SealMalformed, verify.SealSignature, verify.SealInvalid, verify.SealChain,
		verify.SegmentMissing, verify.SegmentAltered, verify.Fork:
		return true
	}
	return false
}

// Every store of the specification's vectors: neither a copy nor a replica makes
// evidence of tampering disappear in silence, or adds any.
func TestVectors(t *testing.T) {
	stores, err := filepath.Glob("../../docs/spec/vectors/stores/*/store")
	if err != nil || len(stores) < 100 {
		t.Fatalf("%d vectors, %v", len(stores), err)
	}
	for _, dir := range stores {
		t.Run(filepath.Base(filepath.Dir(dir)), func(t *testing.T) {
			files, err := filepath.Glob(filepath.Join(filepath.Dir(dir), "*.pub"))
			if err != nil {
				t.Fatal(err)
			}
			keys, err := keyfile.ReadKeys(files...)
			if err != nil {
				t.Fatal(err)
			}
			from, err := dirstore.Open(dir, dirstore.Options{ReadOnly: true})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = from.Close() }()
			checkVector(t, from, dir, keys)
		})
	}
}

func checkVector(t *testing.T, from store.Store, dir string, keys *checkpoint.Keys) {
	found := judged(t, dir, keys)
	c := newCopy(t)
	fetched, err := c.fetch(from, Options{})
	if err != nil {
		if len(found) > 0 {
			t.Errorf("fetch: %v", err)
		}
		return // A store without logs, or one that cannot be read.
	}
	if tampered := fetched.Tampered() || len(judged(t, c.dir, keys)) > 0; tampered != (len(found) > 0) && fetched.Complete() {
		t.Errorf("verifiers find %v; of the copy %v, fetch %v", found, judged(t, c.dir, keys), fetched.Tampered())
	}
	to := storetest.NewMemory("b")
	sink, err := wormexport.New(wormexport.Settings{
		Telemetry: componenttest.NewNopTelemetrySettings(), ID: to.ID(), Keys: keys,
		Open: func(context.Context) (store.Store, error) { return to, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	r, err := Replicate(t.Context(), from, to, ReplicateOptions{Keys: keys, Sink: sink, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	if want := slices.ContainsFunc(found, ends); want && !r.Tampered() || len(found) == 0 && r.Tampered() {
		t.Errorf("verifiers find %v; replicate: %+v", found, *r.Logs[0])
	}
}
