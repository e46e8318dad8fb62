package s3store_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/s3store"
	"github.com/otelcol-custody/custody/store/storetest/servers"
	"github.com/otelcol-custody/custody/store/storetest/wire"
)

func TestBucketsDefault(t *testing.T) {
	server := servers.MinIO(t)
	server.Bucket(t, bucket, true)
	s := open(t, options(server, "p"))
	day := 24 * time.Hour
	for _, c := range []struct {
		rule types.DefaultRetention
		want store.Default
	}{
		{types.DefaultRetention{Mode: types.ObjectLockRetentionModeGovernance, Days: aws.Int32(30)}, store.Default{Mode: store.ModeGovernance, For: 30 * day}},
		{types.DefaultRetention{Mode: types.ObjectLockRetentionModeCompliance, Years: aws.Int32(7)}, store.Default{Mode: store.ModeCompliance, For: (7*365 + 2) * day}},
	} {
		_, err := server.Client().PutObjectLockConfiguration(t.Context(), &s3.PutObjectLockConfigurationInput{
			Bucket: aws.String(bucket), ObjectLockConfiguration: &types.ObjectLockConfiguration{
				ObjectLockEnabled: types.ObjectLockEnabledEnabled, Rule: &types.ObjectLockRule{DefaultRetention: &c.rule},
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := s.CheckLock(t.Context(), store.ModeCompliance); err != nil || got != c.want {
			t.Errorf("CheckLock: %+v, %v; want %+v", got, err, c.want)
		}
	}
}

// TestCheckLockWithoutPermission: what the bucket does says enough; if that
// cannot be seen either, the message names what is missing.
func TestCheckLockWithoutPermission(t *testing.T) {
	opt, proxy := behind(t, versity)
	s := open(t, opt)
	denied := wire.Answer(403, nil, "<Error><Code>AccessDenied</Code></Error>")
	proxy.Inject(wire.Fault{Match: func(r *http.Request) bool { return r.URL.Query().Has("object-lock") }, Action: denied})
	if _, err := s.CheckLock(t.Context(), store.ModeGovernance); err != nil {
		t.Errorf("CheckLock without the settings: %v", err)
	}
	proxy.Inject(wire.Fault{Match: func(r *http.Request) bool { return r.Method == http.MethodHead }, Action: denied})
	_, err := s.CheckLock(t.Context(), store.ModeGovernance)
	if !errors.Is(err, store.ErrDenied) || !strings.Contains(err.Error(), "s3:GetBucketObjectLockConfiguration") {
		t.Errorf("CheckLock that sees nothing: %v, want %v that names the permission", err, store.ErrDenied)
	}
	opt.ReadOnly = true
	if _, err := open(t, opt).CheckLock(t.Context(), store.ModeGovernance); !errors.Is(err, store.ErrDenied) {
		t.Errorf("CheckLock of a read-only store: %v, want %v", err, store.ErrDenied)
	}
}

func TestCheckLockWithoutObjectLock(t *testing.T) {
	server := versity(t)
	server.Bucket(t, bucket, false)
	s := open(t, options(server, "p"))
	if _, err := s.CheckLock(t.Context(), store.ModeCompliance); !errors.Is(err, store.ErrRetention) || !strings.Contains(err.Error(), "enable Object Lock") {
		t.Errorf("CheckLock: %v, want %v that says what to do", err, store.ErrRetention)
	}
}

func TestInexpressibleRetention(t *testing.T) {
	s := open(t, secretly(&canned{answer: willing}))
	later := time.Now().Add(time.Hour)
	for _, r := range []store.Retention{
		{Mode: store.ModeCompliance}, {Until: later}, {Mode: store.ModeGovernance, Until: time.Now().Add(-time.Hour)}, {Mode: 9, Until: later},
	} {
		if _, err := s.PutOnce(t.Context(), "a", nil, store.PutOptions{Retention: r}); !errors.Is(err, store.ErrRetention) {
			t.Errorf("PutOnce with %+v: %v, want %v", r, err, store.ErrRetention)
		}
	}
}

// TestMissingVersions asks for versions that are none.
func TestMissingVersions(t *testing.T) {
	for name, start := range map[string]func(testing.TB) *servers.S3{"versitygw": versity, "minio": servers.MinIO} {
		t.Run(name, func(t *testing.T) {
			server := start(t)
			server.Bucket(t, bucket, true)
			s, a := open(t, options(server, "p")), attacker(server.Client(), "p")
			put(t, s, "a", []byte("x"), store.Retention{})
			if err := a.Delete(t.Context(), "a", ""); err != nil {
				t.Fatal(err)
			}
			infos, err := s.Versions(t.Context(), "a")
			if err != nil || len(infos) != 2 {
				t.Fatalf("Versions: %+v, %v", infos, err)
			}
			for what, version := range map[string]string{"delete marker": infos[0].Version, "nonsense": "nope", "another's": missingVersion(infos[1].Version)} {
				if _, _, err := s.GetVersion(t.Context(), "a", version); !errors.Is(err, store.ErrNotFound) {
					t.Errorf("GetVersion of a %s: %v, want %v", what, err, store.ErrNotFound)
				}
				if _, err := s.Extend(t.Context(), "a", version, kept); !errors.Is(err, store.ErrNotFound) {
					t.Errorf("Extend of a %s: %v, want %v", what, err, store.ErrNotFound)
				}
			}
		})
	}
}

// missingVersion has the form of a version id and isn't one.
func missingVersion(id string) string {
	last := "0"
	if strings.HasSuffix(id, "0") {
		last = "1"
	}
	return id[:len(id)-1] + last
}

// TestEndlessListing: a store that says there is more, and nothing else.
func TestEndlessListing(t *testing.T) {
	transport := &canned{answer: willing}
	s := open(t, secretly(transport))
	transport.answer = func(r *http.Request) (*http.Response, error) {
		if r.URL.Query().Has("versions") {
			return answer(200, nil, "<ListVersionsResult><IsTruncated>true</IsTruncated></ListVersionsResult>"), nil
		}
		return answer(200, nil, "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken></ListBucketResult>"), nil
	}
	for name, list := range map[string]error{"List": last(s.List(t.Context(), "", "")), "ListVersions": last(s.ListVersions(t.Context(), "", ""))} {
		if !errors.Is(list, store.ErrUnfit) {
			t.Errorf("%s: %v, want %v", name, list, store.ErrUnfit)
		}
	}
}

// TestProbeNeedsAnAnswer: only a definite no refuses.
func TestProbeNeedsAnAnswer(t *testing.T) {
	for want, status := range map[error]int{store.ErrUnfit: 501, store.ErrDenied: 403, store.ErrFull: 507} {
		transport := &canned{answer: func(r *http.Request) (*http.Response, error) {
			if r.Method == http.MethodPut {
				return answer(status, nil, "<Error><Code>Other</Code></Error>"), nil
			}
			return willing(r)
		}}
		if _, err := s3store.Open(t.Context(), secretly(transport)); !errors.Is(err, want) {
			t.Errorf("Open of a store that answers %d: %v, want %v", status, err, want)
		}
	}
}
