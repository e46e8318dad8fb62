package servers

import (
	"encoding/base64"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"
)

// account of Azurite; not the well-known one, which scanners take for a leak.
const account = "custodytest"

// Azure is a server that speaks Azure Blob Storage.
type Azure struct {
	*Process
	AccountURL string // http://127.0.0.1:PORT/ACCOUNT, without a slash at the end
	Account    string
	Key        string // base64
}

// Azurite starts Azurite's blob service. It enforces preconditions; an
// immutability policy or a legal hold on a PUT it ignores without a word. It
// saves its index every few seconds and when it stops: what was stored just
// before Kill can be gone after Restart, not so after Stop.
func Azurite(t testing.TB) *Azure {
	t.Helper()
	program, data := find(t, "npm/node_modules/.bin/azurite-blob"), t.TempDir()
	key := base64.StdEncoding.EncodeToString([]byte("custody-test-key-of-64-bytes-that-opens-nothing-but-this-server!"))
	p := start(t, "/", []string{"AZURITE_ACCOUNTS=" + account + ":" + key}, func(port string) []string {
		return []string{
			program, "--blobHost", "127.0.0.1", "--blobPort", port, "--location", data,
			"--skipApiVersionCheck", "--disableTelemetry", "--silent",
		}
	})
	return &Azure{Process: p, AccountURL: p.URL() + "/" + account, Account: account, Key: key}
}

// Client returns a client with the owner's credentials, past any store.
func (a *Azure) Client(t testing.TB) *azblob.Client {
	t.Helper()
	cred, err := azblob.NewSharedKeyCredential(a.Account, a.Key)
	if err != nil {
		t.Fatal(err)
	}
	opts := &azblob.ClientOptions{ClientOptions: azcore.ClientOptions{Transport: a.client}}
	client, err := azblob.NewClientWithSharedKeyCredential(a.AccountURL, cred, opts)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// Container makes a container.
func (a *Azure) Container(t testing.TB, name string) {
	t.Helper()
	if _, err := a.Client(t).CreateContainer(t.Context(), name, nil); err != nil {
		t.Fatalf("make container %s: %v", name, err)
	}
}
