// Package digesttest makes CloudTrail log files and signed digests for tests, with keys of
// its own.
package digesttest

import (
	"bytes"
	"compress/gzip"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/audit/cloudtrail/digest"
)

// Begin is when trails begin.
var Begin = time.Date(2026, 3, 4, 10, 1, 31, 0, time.UTC)

// A File is an object in a bucket.
type File struct {
	digest.Object
	Inflated []byte
	// Signature is a digest's, as in its metadata; "" where it has none.
	Signature string
	Generated string // the metadata backfill-generation-timestamp
	Digest    bool
	At        time.Time // about when it was delivered
}

// Gzip is the file as it lies in the bucket.
func (f File) Gzip(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(f.Inflated); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Metadata is what a HEAD of the object shows, as x-amz-meta-* pairs; nil for none.
func (f File) Metadata() map[string]string {
	if f.Signature == "" {
		return nil
	}
	m := map[string]string{"x-amz-meta-signature": f.Signature, "x-amz-meta-signature-algorithm": digest.SignatureAlgorithm}
	if f.Generated != "" {
		m["x-amz-meta-backfill-generation-timestamp"] = f.Generated
	}
	return m
}

// Arrival is a digest as a judge takes it.
func (f File) Arrival() digest.Arrival {
	a := digest.Arrival{Object: f.Object, Inflated: f.Inflated, Signature: f.Signature, At: f.At}
	if a.Signature != "" {
		a.Algorithm = digest.SignatureAlgorithm
	}
	return a
}

// Delivery is a log file as a judge takes it.
func (f File) Delivery() digest.Delivery {
	return digest.Delivery{Object: f.Object, Hash: digest.Hash(f.Inflated), At: f.At}
}

// A Doc is the text of a digest file.
type Doc struct {
	Account     string  `json:"awsAccountId"`
	Start       string  `json:"digestStartTime"`
	End         string  `json:"digestEndTime"`
	Bucket      string  `json:"digestS3Bucket"`
	Key         string  `json:"digestS3Object"`
	Fingerprint string  `json:"digestPublicKeyFingerprint"`
	Algorithm   string  `json:"digestSignatureAlgorithm"`
	Newest      *string `json:"newestEventTime"`
	Oldest      *string `json:"oldestEventTime"`
	PrevBucket  *string `json:"previousDigestS3Bucket"`
	PrevKey     *string `json:"previousDigestS3Object"`
	PrevHash    *string `json:"previousDigestHashValue"`
	PrevHashAlg *string `json:"previousDigestHashAlgorithm"`
	PrevSig     *string `json:"previousDigestSignature"`
	Logs        []Entry `json:"logFiles"`
}

// An Entry is a log file in a Doc.
type Entry struct {
	Bucket    string `json:"s3Bucket"`
	Key       string `json:"s3Object"`
	Hash      string `json:"hashValue"`
	Algorithm string `json:"hashAlgorithm"`
	Newest    string `json:"newestEventTime"`
	Oldest    string `json:"oldestEventTime"`
}

// A Trail delivers files as CloudTrail does in one region.
type Trail struct {
	Bucket, Prefix string
	digest.Chain
	Key    *rsa.PrivateKey
	Now    time.Time                        // the end of the newest digest
	Newest map[bool]*File                   // digests, of the backfill too
	Edit   func(*Doc)                       // before a digest is signed; may be nil
	Sign   func(toSign string) (hex string) // instead of Key; may be nil
	files  int
}

// NewTrail returns a trail of the account 111122223333 in a region.
func NewTrail(t testing.TB, bucket, region string) *Trail {
	t.Helper()
	return &Trail{
		Bucket: bucket, Key: PrivateKey(t, region, 2048), Now: Begin, Newest: map[bool]*File{},
		Chain: digest.Chain{Scope: digest.Scope{Account: "111122223333", Region: region}, Trail: "acme", Home: "eu-central-1"},
	}
}

// Log delivers a log file some minutes after the newest digest.
func (tr *Trail) Log(minutes int) File { return tr.LogIn("CloudTrail", minutes) }

// LogIn does so in another folder.
func (tr *Trail) LogIn(folder string, minutes int) File {
	tr.files++
	at := tr.Now.Add(time.Duration(minutes) * time.Minute).Truncate(time.Minute)
	n := digest.LogName{Scope: tr.Scope, Prefix: tr.Prefix, Folder: folder, Day: day(at), Minute: at, Unique: fmt.Sprintf("Example%09d", tr.files)}
	body := fmt.Sprintf(`{"Records":[{"eventVersion":"1.11","eventID":"00000000-0000-4000-8000-%012d"}]}`, tr.files)
	return File{Object: digest.Object{Bucket: tr.Bucket, Key: n.String()}, Inflated: []byte(body), At: at}
}

// Hour delivers the digest of an hour, with log files, and moves on.
func (tr *Trail) Hour(t testing.TB, logs ...File) File {
	t.Helper()
	tr.Now = tr.Now.Add(time.Hour)
	return tr.digest(t, false, logs)
}

// Late delivers a backfill digest for the newest hour.
func (tr *Trail) Late(t testing.TB, logs ...File) File {
	t.Helper()
	return tr.digest(t, true, logs)
}

// Restart stops logging for a time and begins a new chain.
func (tr *Trail) Restart(off time.Duration) {
	tr.Now = tr.Now.Add(off)
	delete(tr.Newest, false)
}

func (tr *Trail) digest(t testing.TB, backfill bool, logs []File) File {
	t.Helper()
	n := digest.Name{Chain: tr.Chain, Prefix: tr.Prefix, Day: day(tr.Now), End: tr.Now}
	n.Backfill = backfill
	d := Doc{
		Account: tr.Account, Start: stamp(tr.Now.Add(-time.Hour)), End: stamp(tr.Now), Bucket: tr.Bucket, Key: n.String(),
		Fingerprint: Fingerprint(&tr.Key.PublicKey), Algorithm: digest.SignatureAlgorithm, Logs: []Entry{},
	}
	if p := tr.Newest[backfill]; p != nil {
		hash, alg := digest.Hash(p.Inflated), "SHA-256"
		d.PrevBucket, d.PrevKey, d.PrevHash, d.PrevHashAlg, d.PrevSig = &p.Bucket, &p.Key, &hash, &alg, &p.Signature
	}
	for _, l := range logs {
		d.Logs = append(d.Logs, Entry{l.Bucket, l.Key, digest.Hash(l.Inflated), "SHA-256", stamp(l.At), stamp(l.At)})
		d.Newest, d.Oldest = &d.Logs[len(d.Logs)-1].Newest, &d.Logs[0].Oldest
	}
	if tr.Edit != nil {
		tr.Edit(&d)
	}
	f := File{Object: digest.Object{Bucket: d.Bucket, Key: d.Key}, Inflated: marshal(t, d), Digest: true, At: tr.Now.Add(5 * time.Minute)}
	f.Signature = tr.sign(t, d, f)
	if backfill {
		f.Generated = stamp(tr.Now.Add(6 * time.Hour))
		f.At = tr.Now.Add(6 * time.Hour)
	}
	tr.Newest[backfill] = &f
	return f
}

// sign makes the signature independently of the package under test.
func (tr *Trail) sign(t testing.TB, d Doc, f File) string {
	t.Helper()
	previous := "null"
	if d.PrevSig != nil {
		previous = *d.PrevSig
	}
	text := d.End + "\n" + d.Bucket + "/" + d.Key + "\n" + fmt.Sprintf("%x", sha256.Sum256(f.Inflated)) + "\n" + previous
	if tr.Sign != nil {
		return tr.Sign(text)
	}
	sum := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPKCS1v15(rand.Reader, tr.Key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(sig)
}

func marshal(t testing.TB, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func day(t time.Time) time.Time { return t.Truncate(24 * time.Hour) }
