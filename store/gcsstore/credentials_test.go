package gcsstore_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/gcsstore"
)

// key writes a service account's key whose tokens come from tokenURL.
func key(t *testing.T, tokenURL string) (file, secret string) {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	secret = string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	b, _ := json.Marshal(map[string]string{
		"type": "service_account", "client_email": "writer@acme.iam.gserviceaccount.com", "private_key": secret,
		"private_key_id": "1", "token_uri": tokenURL, "project_id": "acme",
	})
	return write(t, string(b)), secret
}

func write(t *testing.T, content string) string {
	file := filepath.Join(t.TempDir(), "key.json")
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestCredentials(t *testing.T) {
	const token = "ya29.a0-very-secret"
	code := http.StatusOK
	sts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		_, _ = io.WriteString(w, `{"access_token":"`+token+`","token_type":"Bearer","expires_in":3600,"error":"invalid_grant"}`)
	}))
	defer sts.Close()
	// It repeats what it was sent, as a careless gateway may.
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, said("forbidden", "no: "+r.Header.Get("Authorization")+" is no good"))
	}))
	defer echo.Close()
	file, secret := key(t, sts.URL)
	try := func(file string, answer int) error {
		code = answer
		s, err := gcsstore.Open(t.Context(), gcsstore.Options{Bucket: "acme-audit", Endpoint: echo.URL, CredentialsFile: file})
		if err == nil {
			_ = s.Close()
			return nil
		}
		for _, hidden := range []string{token, "very-secret", secret, secret[60:100], "hunter2"} {
			if strings.Contains(err.Error(), hidden) {
				t.Errorf("a secret in the message: %v", err)
			}
		}
		return err
	}
	says(t, try(file, 200), store.ErrDenied, "403", "REDACTED is no good")
	says(t, try(file, 400), store.ErrDenied, "400", "credentials_file")
	says(t, try(file, 503), store.ErrUnavailable, "503")
	says(t, try(filepath.Join(t.TempDir(), "none"), 200), store.ErrDenied, "credentials_file", "no such file")
	says(t, try(write(t, "hunter2"), 200), store.ErrDenied, "is no credentials file")
	says(t, try(write(t, `{"type":"service_account","private_key":"hunter2"}`), 200), store.ErrDenied, "service_account")
}

func TestNoCredentials(t *testing.T) {
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", filepath.Join(t.TempDir(), "none.json"))
	_, err := gcsstore.Open(t.Context(), gcsstore.Options{Bucket: "acme-audit"})
	says(t, err, store.ErrDenied, "application default credentials")
}
