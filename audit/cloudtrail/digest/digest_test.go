package digest_test

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	. "github.com/otelcol-custody/custody/audit/cloudtrail/digest"
	"github.com/otelcol-custody/custody/audit/cloudtrail/digest/digesttest"
)

func TestParse(t *testing.T) {
	tr := digesttest.NewTrail(t, "acme-trail", "eu-west-1")
	log := tr.Log(3)
	first, second := tr.Hour(t), tr.Hour(t, log)
	d, err := Parse(second.Inflated)
	if err != nil {
		t.Fatal(err)
	}
	if d.Account != tr.Account || d.EndText != "2026-03-04T12:01:31Z" || !d.Start.Equal(digesttest.Begin.Add(time.Hour)) || !d.End.Equal(tr.Now) ||
		d.Object != second.Object || d.Fingerprint != digesttest.Fingerprint(&tr.Key.PublicKey) ||
		d.Previous != (Previous{first.Object, Hash(first.Inflated), first.Signature}) ||
		len(d.Logs) != 1 || d.Logs[0] != (LogFile{log.Object, Hash(log.Inflated)}) {
		t.Errorf("%+v", d)
	}
	if d, err := Parse(first.Inflated); err != nil || d.Previous != (Previous{}) || len(d.Logs) != 0 {
		t.Errorf("start digest: %+v, %v", d, err)
	}
}

// Every member that counts: missing, null, of another kind, in another case, twice.
func TestParseIsStrict(t *testing.T) {
	tr := digesttest.NewTrail(t, "acme-trail", "eu-west-1")
	signature := tr.Hour(t).Signature
	whole := string(tr.Hour(t, tr.Log(1)).Inflated)
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(whole), &members); err != nil {
		t.Fatal(err)
	}
	for key, raw := range members {
		if key == "newestEventTime" || key == "oldestEventTime" {
			continue
		}
		pair := `"` + key + `":` + string(raw)
		if !strings.Contains(whole, pair) {
			t.Fatalf("%s is not in %s", pair, whole)
		}
		for _, other := range []string{`"x":1`, `"` + key + `":null`, `"` + key + `":7`, `"` + key + `":{}`, `"` + strings.ToUpper(key) + `":` + string(raw), pair + "," + pair, `"` + key + `":""`} {
			if d, err := Parse([]byte(strings.Replace(whole, pair, other, 1))); !errors.Is(err, ErrMalformed) {
				t.Errorf("%s instead of %s is taken: %+v, %v", other, pair, d, err)
			}
		}
	}
	for old, other := range map[string]string{
		`"hashValue":"`: `"hashValue":"A`, `"hashAlgorithm":"SHA-256"`: `"hashAlgorithm":"SHA-1"`, "SHA256withRSA": "none", `"s3Object"`: `"s3object"`,
		`"digestEndTime":"2026-03-04T12:01:31Z"`: `"digestEndTime":"2026-03-04T13:01:31+01:00"`, `"digestStartTime":"2026`: `"digestStartTime":"2027`,
		`"logFiles":[`: `"logFiles":[[],`, `"awsAccountId":"`: "\"awsAccountId\":\"\xff", `"s3Bucket"`: `"s3Bucket":"b","s3\u0042ucket"`,
	} {
		if !strings.Contains(whole, old) {
			t.Fatalf("%s is not in %s", old, whole)
		}
		if _, err := Parse([]byte(strings.Replace(whole, old, other, 1))); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s is taken: %v", other, err)
		}
	}
	upper := strings.Replace(whole, `"previousDigestSignature":"`+signature, `"previousDigestSignature":"`+strings.ToUpper(signature), 1)
	if _, err := Parse([]byte(upper)); !errors.Is(err, ErrMalformed) || upper == whole {
		t.Errorf("upper-case hex is taken: %v", err)
	}
	if _, err := Parse([]byte(whole + " {}")); !errors.Is(err, ErrMalformed) {
		t.Errorf("two digests are taken: %v", err)
	}
	if _, err := Parse([]byte("\n " + strings.Replace(whole, "{", `{"new":[{"a":1}],`, 1) + "\n")); err != nil {
		t.Errorf("a member that CloudTrail may add: %v", err)
	}
}

func keysOf(t testing.TB, list ...*rsa.PrivateKey) Keys {
	t.Helper()
	parsed, err := ParseKeys(digesttest.KeyList(t, list...))
	if err != nil {
		t.Fatal(err)
	}
	keys := Keys{}
	keys.Add(parsed...)
	return keys
}

func TestVerify(t *testing.T) {
	tr := digesttest.NewTrail(t, "acme-trail", "eu-west-1")
	files := []digesttest.File{tr.Hour(t), tr.Hour(t)}
	keys := keysOf(t, tr.Key)
	for _, f := range files {
		d, err := Parse(f.Inflated)
		if err != nil {
			t.Fatal(err)
		}
		if err := Verify(d, f.Object, f.Inflated, f.Signature, keys); err != nil {
			t.Error(err)
		}
		other := *d
		other.EndText = "2026-03-04T12:01:31.0Z"
		longer := *d
		longer.Previous.Signature += "00"
		for what, err := range map[string]error{
			"bytes":     Verify(d, f.Object, append(bytes.Clone(f.Inflated), '\n'), f.Signature, keys),
			"bucket":    Verify(d, Object{"other", f.Key}, f.Inflated, f.Signature, keys),
			"key":       Verify(d, Object{f.Bucket, "x/" + f.Key}, f.Inflated, f.Signature, keys),
			"signature": Verify(d, f.Object, f.Inflated, "00"+f.Signature[2:], keys),
			"no hex":    Verify(d, f.Object, f.Inflated, "xyz", keys),
			"nothing":   Verify(d, f.Object, f.Inflated, "", keys),
			"end":       Verify(&other, f.Object, f.Inflated, f.Signature, keys),
			"previous":  Verify(&longer, f.Object, f.Inflated, f.Signature, keys),
		} {
			if !errors.Is(err, ErrSignature) {
				t.Errorf("another %s: %v", what, err)
			}
		}
		if err := Verify(d, f.Object, f.Inflated, f.Signature, keysOf(t, digesttest.PrivateKey(t, "us-east-1", 2048))); !errors.Is(err, ErrNoKey) {
			t.Errorf("the key of another region: %v", err)
		}
	}
}

func TestStringToSign(t *testing.T) {
	d := &Digest{EndText: "2026-03-04T12:01:31Z"}
	at := Object{"acme-trail", "a/b.json.gz"}
	const hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" // of nothing
	if got := StringToSign(d, at, nil); got != "2026-03-04T12:01:31Z\nacme-trail/a/b.json.gz\n"+hash+"\nnull" {
		t.Errorf("%q", got)
	}
	d.Previous.Signature = "00ff"
	if got := StringToSign(d, at, nil); got != "2026-03-04T12:01:31Z\nacme-trail/a/b.json.gz\n"+hash+"\n00ff" {
		t.Errorf("%q", got)
	}
}

func TestKeys(t *testing.T) {
	private := digesttest.PrivateKey(t, "eu-west-1", 2048)
	spki, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	if k, err := NewKey(spki, ""); err != nil || k.Bits() != 2048 || !bytes.Equal(k.DER(), spki) {
		t.Errorf("SubjectPublicKeyInfo: %v, %v", k, err)
	}
	keys := keysOf(t, private)
	if k := keys[digesttest.Fingerprint(&private.PublicKey)]; k.Bits() != 2048 || k.Fingerprint() != digesttest.Fingerprint(&private.PublicKey) {
		t.Errorf("keys: %v", keys)
	}
	if again := keys.Add(keys[digesttest.Fingerprint(&private.PublicKey)]); len(again) != 0 {
		t.Errorf("a known key is new: %v", again)
	}
	value := base64.StdEncoding.EncodeToString(x509.MarshalPKCS1PublicKey(&private.PublicKey))
	for what, doc := range map[string]string{
		"not JSON":          `{`,
		"nothing":           `{}`,
		"no key":            `{"PublicKeyList":[]}`,
		"no base64":         `{"PublicKeyList":[{"Value":"***"}]}`,
		"no key in it":      `{"PublicKeyList":[{"Value":"aGVsbG8="}]}`,
		"other fingerprint": `{"PublicKeyList":[{"Value":"` + value + `","Fingerprint":"00112233445566778899aabbccddeeff"}]}`,
	} {
		if _, err := ParseKeys([]byte(doc)); !errors.Is(err, ErrKeys) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	tr := digesttest.NewTrail(f, "acme-trail", "eu-west-1")
	f.Add(tr.Hour(f).Inflated, "00")
	f.Add(tr.Hour(f, tr.Log(1), tr.Log(2)).Inflated, "ff")
	f.Add([]byte(`{"logFiles":[{`), "")
	keys := keysOf(f, tr.Key)
	f.Fuzz(func(t *testing.T, data []byte, signature string) {
		d, err := Parse(data)
		if err != nil {
			if !errors.Is(err, ErrMalformed) {
				t.Errorf("error %v", err)
			}
			return
		}
		if !json.Valid(data) {
			t.Error("it is no JSON")
		}
		if n, err := ParseName(d.Object.Key); err == nil && n.String() != d.Object.Key {
			t.Errorf("name %s", n)
		}
		if Verify(d, d.Object, data, signature, keys) == nil {
			t.Error("a signature was forged")
		}
	})
}
