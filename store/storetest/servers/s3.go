package servers

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// Credentials of the S3 servers. MinIO wants 8 characters at least.
const (
	accessKey = "custody-test"
	secretKey = "custody-test-secret"
	region    = "us-east-1"
)

// S3 is a server that speaks S3.
type S3 struct {
	*Process
	Endpoint  string // http://127.0.0.1:PORT
	AccessKey string
	SecretKey string
	Region    string
	// Dir holds the server's data. Versity keeps each object as the plain file
	// Dir/BUCKET/KEY.
	Dir string
}

// Option changes how a server is started.
type Option func(*options)

type options struct{ noVersions bool }

// WithoutVersions starts Versity without versions: an overwrite of a locked
// object is refused instead of hiding it below a new version.
func WithoutVersions() Option { return func(o *options) { o.noVersions = true } }

// Versity starts the Versity S3 Gateway over a folder. It enforces Object Lock
// and create-only puts.
func Versity(t testing.TB, opts ...Option) *S3 {
	t.Helper()
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	program, dir := find(t, "bin/versitygw"), t.TempDir()
	data, versions := folder(t, dir, "data"), folder(t, dir, "versions")
	backend := []string{"posix"}
	if !o.noVersions {
		backend = append(backend, "--versioning-dir", versions)
	}
	if !hasAttributes(dir) {
		backend = append(backend, "--sidecar", folder(t, dir, "attributes"))
	}
	p := start(t, "/", nil, func(port string) []string {
		args := []string{program, "--port", "127.0.0.1:" + port, "--access", accessKey, "--secret", secretKey, "--region", region, "--quiet"}
		return append(append(args, backend...), data)
	})
	return newS3(p, data)
}

// MinIO starts MinIO, which enforces Object Lock and create-only puts, and
// says 400 where AWS says 403.
func MinIO(t testing.TB) *S3 {
	t.Helper()
	program, data := find(t, "bin/minio"), t.TempDir()
	env := []string{
		"MINIO_ROOT_USER=" + accessKey, "MINIO_ROOT_PASSWORD=" + secretKey, "MINIO_REGION=" + region,
		"MINIO_BROWSER=off", "MINIO_UPDATE=off",
	}
	p := start(t, "/minio/health/ready", env, func(port string) []string {
		return []string{program, "server", "--quiet", "--address", "127.0.0.1:" + port, data}
	})
	return newS3(p, data)
}

func newS3(p *Process, dir string) *S3 {
	return &S3{Process: p, Endpoint: p.URL(), AccessKey: accessKey, SecretKey: secretKey, Region: region, Dir: dir}
}

func folder(t testing.TB, dir, name string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// Client returns a client with the owner's credentials, past any store. It
// goes to Endpoint as that is when Client is called.
func (s *S3) Client() *s3.Client {
	return s3.New(s3.Options{
		BaseEndpoint: aws.String(s.Endpoint), Region: s.Region, UsePathStyle: true, HTTPClient: s.client,
		Credentials: credentials.NewStaticCredentialsProvider(s.AccessKey, s.SecretKey, ""),
	})
}

// Bucket makes a bucket. A locked one has versions and Object Lock, without
// default retention; another has neither.
func (s *S3) Bucket(t testing.TB, name string, locked bool) {
	t.Helper()
	in := &s3.CreateBucketInput{Bucket: aws.String(name)}
	if locked {
		in.ObjectLockEnabledForBucket = aws.Bool(true)
	}
	if _, err := s.Client().CreateBucket(t.Context(), in); err != nil {
		t.Fatalf("make bucket %s: %v", name, err)
	}
}

// Versioned switches a bucket's versions on.
func (s *S3) Versioned(t testing.TB, name string) {
	t.Helper()
	_, err := s.Client().PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{
		Bucket:                  aws.String(name),
		VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
	})
	if err != nil {
		t.Fatalf("switch on versions of bucket %s: %v", name, err)
	}
}
