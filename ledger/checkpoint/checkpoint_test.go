package checkpoint_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/ledger/tree"
)

const origin = "custody.example/web-1"

var root = tree.Digest([]byte("root"))

func sign(t testing.TB, c checkpoint.Checkpoint, s *checkpoint.Signer) []byte {
	t.Helper()
	b, err := checkpoint.Sign(c, s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSignOpen(t *testing.T) {
	s := ledgertest.Signer(t, origin)
	c := checkpoint.Checkpoint{Origin: origin, Size: 17, Root: root}
	b := sign(t, c, s)
	if again := sign(t, c, s); !bytes.Equal(b, again) {
		t.Error("the same checkpoint has two signatures")
	}
	got, err := checkpoint.Open(b, ledgertest.Keys(t, s))
	if err != nil || got.Checkpoint != c || !bytes.Equal(got.Note(), b) {
		t.Fatalf("got %+v, %v", got, err)
	}
	if parsed, err := checkpoint.ParseText(c.Text()); err != nil || parsed != c {
		t.Errorf("text: %+v, %v", parsed, err)
	}
	if _, err := checkpoint.Sign(checkpoint.Checkpoint{Origin: "other", Root: root}, s); err == nil {
		t.Error("a key signs for another origin")
	}
}

func TestParseTextIsStrict(t *testing.T) {
	good := checkpoint.Checkpoint{Origin: origin, Size: 17, Root: root}.Text()
	b64 := root.String()
	last := strings.NewReplacer("=", "").Replace(b64)
	for _, bad := range []string{
		"", "\n", good + "\n", good + "extension\n", strings.TrimSuffix(good, "\n"), "\n" + good,
		strings.Replace(good, "17", "017", 1), strings.Replace(good, "17", "+17", 1), strings.Replace(good, "17", "-17", 1),
		strings.Replace(good, "17", "1_7", 1), strings.Replace(good, "17", "0x17", 1), strings.Replace(good, "17", " 17", 1),
		strings.Replace(good, "17", "", 1), strings.Replace(good, "17", "9223372036854775808", 1),
		strings.Replace(good, "17", "１７", 1),
		strings.Replace(good, origin, "", 1), strings.Replace(good, origin, "a b", 1), strings.Replace(good, origin, "a+b", 1),
		strings.Replace(good, origin, "a\u00a0b", 1), strings.Replace(good, origin, "a\xffb", 1), strings.Replace(good, origin, strings.Repeat("a", 256), 1),
		strings.Replace(good, b64, last, 1), strings.Replace(good, b64, b64+"=", 1), strings.Replace(good, b64, b64[:40]+"====", 1),
		strings.Replace(good, b64, base64.StdEncoding.EncodeToString(root[:31]), 1), strings.Replace(good, b64, base64.StdEncoding.EncodeToString(append(root[:], 0)), 1),
		strings.Replace(good, b64, b64[:20]+"\r"+b64[20:], 1), strings.ReplaceAll(good, "\n", "\r\n"),
		strings.Replace(good, b64, nonZeroTail(b64), 1),
	} {
		if c, err := checkpoint.ParseText(bad); !errors.Is(err, checkpoint.ErrMalformed) {
			t.Errorf("%q: got %+v, %v", bad, c, err)
		}
	}
	for _, size := range []uint64{0, 1, 1<<63 - 1} {
		c := checkpoint.Checkpoint{Origin: origin, Size: size, Root: root}
		if got, err := checkpoint.ParseText(c.Text()); err != nil || got != c {
			t.Errorf("size %d: %+v, %v", size, got, err)
		}
	}
}

// nonZeroTail sets a bit that base64 of 32 bytes leaves over.
func nonZeroTail(b64 string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	i := strings.IndexByte(alphabet, b64[42])
	return b64[:42] + string(alphabet[i|1]) + "="
}

func line(name string, hash uint32, sig []byte) string {
	return fmt.Sprintf("— %s %s\n", name, base64.StdEncoding.EncodeToString(append(binary.BigEndian.AppendUint32(nil, hash), sig...)))
}

func TestSignatureLines(t *testing.T) {
	s, other := ledgertest.Signer(t, origin), ledgertest.Signer(t, "witness.example/w")
	second := ledgertest.ImpostorOf(t, origin, "second")
	c := checkpoint.Checkpoint{Origin: origin, Size: 17, Root: root}
	good := string(sign(t, c, s))
	ours := good[strings.Index(good, "— "):]
	text := c.Text() + "\n"
	bySecond := strings.TrimPrefix(string(sign(t, c, second)), text)
	zeros := line(origin, s.KeyHash(), make([]byte, 64))
	witness := line(other.Name(), other.KeyHash(), make([]byte, 72)) // as long as a cosignature: a time and a signature
	keys := ledgertest.Keys(t, s)
	for _, test := range []struct {
		name, note string
		keys       *checkpoint.Keys
		want       error
	}{
		{"plain", good, keys, nil},
		{"cosignature behind", good + witness, keys, nil},
		{"cosignature before", text + witness + ours, keys, nil},
		{"unknown key of our name", good + line(origin, 1, make([]byte, 64)), keys, nil},
		{"long signature of an unknown kind", good + line("m.example", 6, make([]byte, 2428)), keys, nil},
		{"two trusted keys", good + bySecond, ledgertest.Keys(t, s, second), nil},
		{"by a trusted key of another log, bad", good + witness, ledgertest.Keys(t, s, other), nil},
		{"by a trusted key of another log alone", text + witness, ledgertest.Keys(t, s, other), checkpoint.ErrUntrusted},
		{"second trusted key is wrong", good + line(origin, second.KeyHash(), make([]byte, 64)), ledgertest.Keys(t, s, second), checkpoint.ErrSignature},
		{"only unknown", text + witness, keys, checkpoint.ErrUntrusted},
		{"ours, wrong", text + zeros, keys, checkpoint.ErrSignature},
		{"ours, wrong, before right", text + zeros + ours, keys, checkpoint.ErrSignature},
		{"ours, right, before wrong", text + ours + zeros, keys, checkpoint.ErrSignature},
		{"ours twice", text + ours + ours, keys, checkpoint.ErrSignature},
		{"ours, then a longer one", text + ours + line(origin, s.KeyHash(), make([]byte, 72)), keys, checkpoint.ErrSignature},
		{"short", text + line(origin, s.KeyHash(), nil), keys, checkpoint.ErrMalformed},
		{"none", text, keys, checkpoint.ErrMalformed},
		{"no blank line", c.Text() + ours, keys, checkpoint.ErrMalformed},
		{"no dash", text + ours[len("—"):], keys, checkpoint.ErrMalformed},
		{"no line feed", strings.TrimSuffix(good, "\n"), keys, checkpoint.ErrMalformed},
		{"control character", good + "\x00", keys, checkpoint.ErrMalformed},
		{"carriage return", strings.Replace(good, "17\n", "17\r\n", 1), keys, checkpoint.ErrMalformed},
		{"100 lines", good + strings.Repeat(witness, ledger.MaxSignatures-1), keys, nil},
		{"101 lines", good + strings.Repeat(witness, ledger.MaxSignatures), keys, checkpoint.ErrMalformed},
		{"a name that cannot be a log's", good + line("a\u0080b", 6, make([]byte, 64)), keys, checkpoint.ErrMalformed},
		{"a long name", good + line(strings.Repeat("a", 256), 6, make([]byte, 64)), keys, checkpoint.ErrMalformed},
		{"spare bits of base64, by nobody we know", text + strings.Replace(witness, "AA==", "AB==", 1), keys, checkpoint.ErrMalformed},
		{"too long", good + strings.Repeat(line("m.example", 6, make([]byte, 2428)), 21), keys, checkpoint.ErrMalformed},
	} {
		got, err := checkpoint.Open([]byte(test.note), test.keys)
		if !errors.Is(err, test.want) || test.want == nil && got.Checkpoint != c {
			t.Errorf("%s: got %v, want %v", test.name, err, test.want)
		}
	}
}

func TestOpenNamesOrigin(t *testing.T) {
	s := ledgertest.Signer(t, origin)
	c := checkpoint.Checkpoint{Origin: "custody.example/other", Size: 1, Root: root}
	b, err := note.Sign(&note.Note{Text: c.Text()}, s)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := checkpoint.Open(b, ledgertest.Keys(t, s)); !errors.Is(err, checkpoint.ErrUntrusted) {
		t.Errorf("a key speaks for another origin: %v", err)
	}
	other := ledgertest.Signer(t, c.Origin)
	both, err := note.Sign(&note.Note{Text: c.Text()}, s, other)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := checkpoint.Open(both, ledgertest.Keys(t, s, other)); err != nil {
		t.Errorf("another trusted log signs the checkpoint, too: %v", err)
	}
	if _, err := checkpoint.Open(both, ledgertest.Keys(t, s)); !errors.Is(err, checkpoint.ErrUntrusted) {
		t.Errorf("it speaks for that log: %v", err)
	}
	extended, err := note.Sign(&note.Note{Text: checkpoint.Checkpoint{Origin: origin, Size: 1, Root: root}.Text() + "more\n"}, s)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := checkpoint.Open(extended, ledgertest.Keys(t, s)); !errors.Is(err, checkpoint.ErrMalformed) {
		t.Errorf("an extension line: %v", err)
	}
}

func TestEveryByteCounts(t *testing.T) {
	s := ledgertest.Signer(t, origin)
	good := sign(t, checkpoint.Checkpoint{Origin: origin, Size: 17, Root: root}, s)
	keys := ledgertest.Keys(t, s)
	for i := range good {
		for bit := range 8 {
			b := bytes.Clone(good)
			b[i] ^= 1 << bit
			if c, err := checkpoint.Open(b, keys); err == nil {
				t.Errorf("byte %d, bit %d: accepted as %+v", i, bit, c.Checkpoint)
			}
		}
		if _, err := checkpoint.Open(good[:i], keys); err == nil {
			t.Errorf("accepted when cut off at %d", i)
		}
	}
}

// TestKeyID computes a key's hash by the formula of C2SP signed-note.
func TestKeyID(t *testing.T) {
	s := ledgertest.Signer(t, origin)
	name, rest, _ := strings.Cut(s.VerifierKey(), "+")
	hash, b64, _ := strings.Cut(rest, "+")
	raw, err := base64.StdEncoding.DecodeString(b64)
	if err != nil || len(raw) != 33 || raw[0] != 1 {
		t.Fatalf("key %x: %v", raw, err)
	}
	sum := sha256.Sum256(append([]byte(name+"\n"), raw...))
	if want := fmt.Sprintf("%x", sum[:4]); hash != want || s.ID() != origin+"+"+want {
		t.Errorf("id %s with hash %s, want %s", s.ID(), hash, want)
	}
	msg := sign(t, checkpoint.Checkpoint{Origin: origin, Size: 1, Root: root}, s)
	text, sigs, _ := bytes.Cut(msg, []byte("\n\n"))
	sig, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(sigs[len("— "+origin+" "):])))
	if err != nil || !ed25519.Verify(raw[1:], append(text, '\n'), sig[4:]) {
		t.Error("the signature is not plain Ed25519 of the text")
	}
}

func TestGenerateKey(t *testing.T) {
	seed := bytes.Repeat([]byte{7}, 64)
	skey, vkey, err := checkpoint.GenerateKey(bytes.NewReader(seed), origin)
	if err != nil {
		t.Fatal(err)
	}
	s, err := checkpoint.NewSigner(skey)
	if err != nil || s.VerifierKey() != vkey || s.Name() != origin {
		t.Fatalf("signer of %s has key %s, want %s: %v", s.Name(), s.VerifierKey(), vkey, err)
	}
	for _, bad := range []string{"", "PRIVATE+KEY+x", skey + "A", strings.Replace(skey, origin, "other", 1), vkey} {
		if _, err := checkpoint.NewSigner(bad); err == nil {
			t.Errorf("%q is a signer key", bad)
		} else if bad != "" && strings.Contains(err.Error(), skey[len(skey)-20:]) {
			t.Errorf("the error quotes the secret: %v", err)
		}
	}
	for _, name := range []string{"", "a b", "a+b", strings.Repeat("x", 256), "a\n", "a\x7f", "\xff"} {
		if _, _, err := checkpoint.GenerateKey(bytes.NewReader(seed), name); err == nil {
			t.Errorf("%q is an origin", name)
		}
	}
}

func TestParseKeys(t *testing.T) {
	a, b := ledgertest.Signer(t, origin), ledgertest.Signer(t, "custody.example/b")
	skey, _, err := checkpoint.GenerateKey(bytes.NewReader(make([]byte, 64)), origin)
	if err != nil {
		t.Fatal(err)
	}
	k, err := checkpoint.ParseKeys("# ours\n" + a.VerifierKey() + "\n\n  " + b.VerifierKey() + "  \r\n" + a.VerifierKey())
	if err != nil {
		t.Fatal(err)
	}
	if !k.Trusts(origin) || !k.Trusts(b.Name()) || k.Trusts("x") || !k.Has(a.VerifierKey()) || k.Has(skey) || len(k.VerifierKeys()) != 2 {
		t.Errorf("keys %q", k.VerifierKeys())
	}
	// A key that is listed twice still opens what it signed.
	if _, err := checkpoint.Open(sign(t, checkpoint.Checkpoint{Origin: origin, Size: 1, Root: root}, a), k); err != nil {
		t.Errorf("with a repeated key: %v", err)
	}
	for _, bad := range []string{"", "# nothing\n", "x", skey, a.VerifierKey() + " more", strings.Replace(a.VerifierKey(), "+", "+0", 1)} {
		if _, err := checkpoint.ParseKeys(bad); err == nil {
			t.Errorf("%q: accepted", bad)
		} else if strings.Contains(err.Error(), skey[len(skey)-20:]) {
			t.Errorf("the error quotes the secret: %v", err)
		}
	}
}

func TestCheckVerifierKey(t *testing.T) {
	v := ledgertest.Signer(t, origin).VerifierKey()
	if err := checkpoint.CheckVerifierKey(v, origin); err != nil {
		t.Error(err)
	}
	if checkpoint.CheckVerifierKey(v, "other") == nil || checkpoint.CheckVerifierKey("x", "x") == nil {
		t.Error("another name, or no key at all, is accepted")
	}
}

func FuzzOpen(f *testing.F) {
	s := ledgertest.Signer(f, origin)
	keys := ledgertest.Keys(f, s)
	f.Add(sign(f, checkpoint.Checkpoint{Origin: origin, Size: 17, Root: root}, s))
	f.Add([]byte("a\n\n— a AAAAAAA=\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := checkpoint.Open(b, keys)
		if err != nil {
			return
		}
		if !bytes.HasPrefix(b, []byte(c.Text()+"\n")) || c.Origin != origin {
			t.Errorf("%q is opened as %+v", b, c.Checkpoint)
		}
	})
}

func FuzzParseText(f *testing.F) {
	f.Add(checkpoint.Checkpoint{Origin: origin, Size: 17, Root: root}.Text())
	f.Add("\n0\n\n")
	f.Fuzz(func(t *testing.T, text string) {
		if c, err := checkpoint.ParseText(text); err == nil && c.Text() != text {
			t.Errorf("%q is read as %q", text, c.Text())
		} else if err != nil && !errors.Is(err, checkpoint.ErrMalformed) {
			t.Errorf("%q: %v", text, err)
		}
	})
}
