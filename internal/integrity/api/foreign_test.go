package api_test

import (
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/otelcol-custody/custody/internal/integrity/api"
	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
)

// TestForeignClients has other people's clients read a served log, with the rates
// that are the defaults: torchwood's, and Tessera's fsck.
func TestForeignClients(t *testing.T) {
	tlogcheck := filepath.Join(t.TempDir(), "tlogcheck")
	build := exec.Command("go", "build", "-o", tlogcheck, "./tlogcheck")
	build.Dir = "../../../tools"
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	defaults := func(c *api.Config) { c.Rate, c.ClientRate = 0, 0 }
	w := newWorld(t, defaults)
	w.log.Add(t, 100)
	for range 7 {
		w.log.Add(t, 10000)
	}
	w.status = nil
	m := w.add("a", w.log.Segments)
	// What is stored of tiles is not believed.
	m.Shadow("test/"+ledger.TileName(1, 0), make([]byte, 8192))
	server := httptest.NewServer(w.api)
	defer server.Close()
	check := func(vkey, log string) (string, error) {
		key := filepath.Join(t.TempDir(), "key")
		if err := os.WriteFile(key, []byte(vkey+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(tlogcheck, "--key", key, server.URL+"/"+log).CombinedOutput()
		return string(out), err
	}
	vkey := ledgertest.Signer(t, origin).VerifierKey()
	out, err := check(vkey, "test")
	if err != nil || !strings.Contains(out, "accept all 70100 entries") {
		t.Errorf("%v: %s, %v", err, out, w.failed)
	}
	if out, err := check(ledgertest.ImpostorOf(t, origin, "x").VerifierKey(), "test"); err == nil {
		t.Errorf("accepted with another key: %s", out)
	}
	if out, err := check(vkey, "other"); err == nil {
		t.Errorf("accepted a log that is not there: %s", out)
	}
}
