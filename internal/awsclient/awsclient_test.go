package awsclient

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

func get(t *testing.T, o Options) error {
	t.Helper()
	cfg, err := Load(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	client := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
	_, err = client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("b"), Key: aws.String("k")})
	return Explain(err, "read s3://b/k", "s3:GetObject")
}

// A role that cannot be assumed is no object that must not be read: nothing is given up
// for it. The role is asked for where everything else is.
func TestRefusedRoleIsAboutCredentials(t *testing.T) {
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		w.Header().Set("Content-Type", "text/xml")
		w.WriteHeader(http.StatusForbidden)
		if _, err := w.Write([]byte(`<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>not allowed</Message></Error></ErrorResponse>`)); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	err := get(t, Options{Region: "eu-central-1", Endpoint: server.URL, AccessKeyID: "id", SecretAccessKey: "secret", RoleARN: "arn:aws:iam::111122223333:role/r"})
	if KindOf(err) != Credentials || !strings.Contains(err.Error(), "role_arn") || asked.Load() == 0 {
		t.Errorf("kind %v after %d calls: %v", KindOf(err), asked.Load(), err)
	}
}

func TestMissingCredentialsSayWhereToLook(t *testing.T) {
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", t.TempDir()+"/none")
	t.Setenv("AWS_CONFIG_FILE", t.TempDir()+"/none")
	err := get(t, Options{Region: "eu-central-1", Endpoint: "http://127.0.0.1:1"})
	if KindOf(err) != Credentials || !strings.Contains(err.Error(), "access_key_id") {
		t.Errorf("kind %v: %v", KindOf(err), err)
	}
}

// A store that cannot be reached passes.
func TestUnreachableStorePasses(t *testing.T) {
	err := get(t, Options{Region: "eu-central-1", Endpoint: "http://127.0.0.1:1", AccessKeyID: "id", SecretAccessKey: "secret"})
	if err == nil || KindOf(err) != Passing {
		t.Errorf("kind %v: %v", KindOf(err), err)
	}
	if KindOf(errors.New("anything")) != Passing || KindOf(nil) != Passing {
		t.Error("what is unknown does not pass")
	}
}
