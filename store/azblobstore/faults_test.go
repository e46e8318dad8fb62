package azblobstore

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/sas"

	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/storetest/servers"
	"github.com/otelcol-custody/custody/store/storetest/wire"
)

// sentence checks that a message is one line, names what must be named, and
// gives nothing away.
func sentence(t *testing.T, err error, say string, secrets ...string) {
	t.Helper()
	if err == nil {
		t.Error("no error")
		return
	}
	text := err.Error()
	if strings.ContainsAny(text, "\n\r") || len(text) > 700 || !strings.Contains(text, say) {
		t.Errorf("want one sentence that says %q: %s", say, text)
	}
	for _, secret := range append(secrets, "sig=", "AccountKey=") {
		if strings.Contains(text, secret) {
			t.Errorf("the message gives %q away: %s", secret, text)
		}
	}
}

func TestRefusalsByClass(t *testing.T) {
	opt, p := through(t)
	s := open(t, opt)
	for _, c := range []struct {
		status int
		code   string
		class  error
		say    string
	}{
		{404, "BlobNotFound", store.ErrNotFound, "a"},
		{404, "ContainerNotFound", store.ErrUnfit, "container:"},
		{404, "ResourceNotFound", store.ErrUnfit, "account_url"},
		{401, "InvalidAuthenticationInfo", store.ErrDenied, "credentials"},
		{403, "AuthenticationFailed", store.ErrDenied, "clock"},
		{403, "AuthorizationPermissionMismatch", store.ErrDenied, "Storage Blob Data Reader"},
		{403, "AuthorizationFailure", store.ErrDenied, "network rules"},
		{403, "AccountIsDisabled", store.ErrDenied, "disabled"},
		{429, "", store.ErrUnavailable, ""},
		{500, "InternalError", store.ErrUnavailable, ""},
		{503, "ServerBusy", store.ErrUnavailable, "ServerBusy"},
		{507, "", store.ErrFull, "capacity"},
		{400, "InvalidHeaderValue", store.ErrUnfit, "encryption_scope"},
		{400, "bad\x1b[2Jcode", store.ErrUnavailable, "400"},
	} {
		p.Inject(wire.Fault{Action: wire.Answer(c.status, http.Header{"x-ms-request-id": {"r"}, "x-ms-error-code": {strings.ReplaceAll(c.code, "\x1b", "\t")}}, "<Error>\n\n</Error>")})
		_, err := s.Stat(t.Context(), "a")
		is(t, "Stat", err, c.class)
		sentence(t, err, c.say, opt.AccountKey, "[2J\n")
		_, err = s.PutOnce(t.Context(), "a", nil, store.PutOptions{})
		if c.class != store.ErrNotFound {
			is(t, "PutOnce", err, c.class)
		}
		for _, err := range s.List(t.Context(), "", "") {
			is(t, "List", err, c.class)
		}
		p.Heal()
	}
}

func TestRetentionRefusedByTheService(t *testing.T) {
	opt, p := through(t)
	s := open(t, opt)
	put(t, s, "bare", []byte("x"))
	kept := store.Retention{Mode: store.ModeCompliance, Until: time.Now().Add(time.Hour)}
	for _, r := range []store.Retention{kept, {LegalHold: true}} {
		_, err := s.Extend(t.Context(), "bare", "", r) // Azurite answers 501.
		is(t, "Extend", err, store.ErrRetention)
		sentence(t, err, "version-level immutability")
	}
	_, err := s.CheckLock(t.Context(), store.ModeCompliance)
	is(t, "CheckLock", err, store.ErrRetention)
	sentence(t, err, "dropped its immutability policy")
	for code, status := range map[string]int{"InvalidHeaderValue": 400, "FeatureNotSupportedForAccount": 409, "NotImplemented": 501} {
		p.Inject(wire.Fault{Match: isPut, Action: wire.Answer(status, http.Header{"x-ms-error-code": {code}}, "")})
		_, err := s.PutOnce(t.Context(), "a", nil, store.PutOptions{Retention: kept})
		is(t, "PutOnce", err, store.ErrRetention)
		sentence(t, err, "version-level immutability")
		p.Heal()
	}
	p.Inject(wire.Fault{Match: isPut, Action: wire.Answer(503, http.Header{"x-ms-error-code": {"ServerBusy"}}, "")})
	_, err = s.PutOnce(t.Context(), "a", nil, store.PutOptions{Retention: kept})
	is(t, "PutOnce while busy", err, store.ErrUnavailable)
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	server := servers.Azurite(t)
	opt := options(t, server, "acme-audit")
	missing := opt
	missing.Container = "missing"
	_, err := Open(t.Context(), missing)
	is(t, "a missing container", err, store.ErrUnfit)
	sentence(t, err, "container:")

	wrong := opt
	wrong.AccountKey = "d3Jvbmcta2V5LXdyb25nLWtleQ=="
	_, err = Open(t.Context(), wrong)
	is(t, "a wrong key", err, store.ErrDenied)
	sentence(t, err, "credentials", wrong.AccountKey)

	wrong = opt
	wrong.AccountKey, wrong.SASToken = "", "sv=2025-01-05&sr=c&sp=rlcw&se=2041-01-01T00:00:00Z&sig=c2VjcmV0LXNpZ25hdHVyZQ%3D%3D"
	_, err = Open(t.Context(), wrong)
	is(t, "a wrong SAS", err, store.ErrDenied)
	sentence(t, err, "", "c2VjcmV0")
	wrong.AccountURL = "http://127.0.0.1:1/acme"
	begin := time.Now()
	_, err = Open(t.Context(), wrong)
	is(t, "nobody there", err, store.ErrUnavailable)
	sentence(t, err, "127.0.0.1:1", "c2VjcmV0")
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("it took %v to find nobody there", took)
	}

	named := opt
	named.AccountURL, named.AccountKey = "", ""
	named.ConnectionString = "AccountName=" + server.Account + ";AccountKey=" + server.Key + ";BlobEndpoint=" + server.AccountURL
	if a, b := open(t, named).ID(), open(t, opt).ID(); a != b || !strings.HasPrefix(a, "azblob://127.0.0.1:") || !strings.HasSuffix(a, "/custodytest/acme-audit") {
		t.Errorf("IDs %s and %s", a, b)
	}
}

// sasOptions open a container of Azurite with a SAS, which signs no headers.
func sasOptions(t *testing.T, opt Options, perms sas.ContainerPermissions) Options {
	t.Helper()
	cred, err := container.NewSharedKeyCredential(opt.account(), opt.AccountKey)
	if err != nil {
		t.Fatal(err)
	}
	q, err := sas.BlobSignatureValues{
		ContainerName: opt.Container, Permissions: perms.String(), ExpiryTime: time.Now().Add(time.Hour).UTC(), Protocol: sas.ProtocolHTTPSandHTTP,
	}.SignWithSharedKey(cred)
	if err != nil {
		t.Fatal(err)
	}
	opt.AccountKey, opt.SASToken = "", "?"+q.Encode()
	return opt
}

func TestServerThatOverwritesIsUnfit(t *testing.T) {
	opt, p := through(t)
	opt = sasOptions(t, opt, sas.ContainerPermissions{Read: true, List: true, Create: true, Write: true})
	put(t, open(t, opt), "a", []byte("x"))
	p.Forget()
	opt.ReadOnly = true
	open(t, opt)
	if n := len(p.Requests()); n != 0 {
		t.Errorf("opening read-only took %d requests", n)
	}
	opt.ReadOnly = false
	p.Inject(wire.Fault{Action: wire.Strip("If-None-Match")})
	_, err := Open(t.Context(), opt)
	is(t, "a server that overwrites", err, store.ErrUnfit)
	sentence(t, err, "If-None-Match")
}

func TestReadOnly(t *testing.T) {
	server := servers.Azurite(t)
	opt := options(t, server, "acme-audit")
	put(t, open(t, opt), "a", []byte("x"))
	opt.ReadOnly = true
	s := open(t, opt)
	_, err := s.PutOnce(t.Context(), "a", []byte("x"), store.PutOptions{})
	is(t, "PutOnce", err, store.ErrReadOnly)
	_, err = s.Extend(t.Context(), "a", "", store.Retention{LegalHold: true})
	is(t, "Extend", err, store.ErrReadOnly)
	if b, err := s.GetRange(t.Context(), "a", 0, 9); err != nil || string(b) != "x" {
		t.Errorf("GetRange: %q, %v", b, err)
	}
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Error(err)
	}
	_, err = s.Stat(t.Context(), "a")
	is(t, "Stat after Close", err, store.ErrClosed)
}

func TestHangingServer(t *testing.T) {
	opt, p := through(t)
	s := open(t, opt)
	p.Inject(wire.Fault{Action: wire.Hang()})
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := s.PutOnce(ctx, "a", []byte("x"), store.PutOptions{})
	is(t, "PutOnce until its context ends", err, context.DeadlineExceeded)

	s.transport.patience = 100 * time.Millisecond
	_, err = s.PutOnce(t.Context(), "a", []byte("x"), store.PutOptions{})
	is(t, "PutOnce on a server that never answers", err, store.ErrUnavailable)
	if errors.Is(err, context.Canceled) {
		t.Errorf("nobody cancelled: %v", err)
	}
	sentence(t, err, "no answer")
}

// A dead store must be found dead within seconds, not minutes.
func TestPatienceIsBounded(t *testing.T) {
	tries := time.Duration(retries.MaxRetries + 1)
	if most := tries*answerWithin + (tries-1)*retries.MaxRetryDelay; most > 25*time.Second {
		t.Errorf("a dead store takes %v", most)
	}
}
