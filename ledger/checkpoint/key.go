package checkpoint

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"

	"golang.org/x/mod/sumdb/note"

	"github.com/otelcol-custody/custody/ledger"
)

// algEd25519 is the signature type of C2SP signed-note for Ed25519.
const algEd25519 = 1

// GenerateKey makes a key pair for the log with this origin, reading 32 random
// bytes from rand. Both are text without a line feed.
func GenerateKey(rand io.Reader, origin string) (skey, vkey string, err error) {
	if err := CheckOrigin(origin); err != nil {
		return "", "", err
	}
	return note.GenerateKey(rand, origin)
}

// CheckOrigin says whether origin can name a log and its key (spec §14).
func CheckOrigin(origin string) error {
	if origin == "" || len(origin) > ledger.MaxOrigin {
		return fmt.Errorf("origin %q: must have 1 to %d bytes", origin, ledger.MaxOrigin)
	}
	bad := func(r rune) bool {
		return r == '+' || r == unicode.ReplacementChar || unicode.IsSpace(r) || unicode.IsControl(r)
	}
	if strings.ContainsFunc(origin, bad) {
		return fmt.Errorf("origin %q: must not contain white space, control characters or +", origin)
	}
	return nil
}

// CheckVerifierKey says whether vkey is the text of a key with this name.
func CheckVerifierKey(vkey, name string) error {
	v, err := note.NewVerifier(vkey)
	if err != nil {
		return fmt.Errorf("verifier key %q: %w", vkey, err)
	}
	if v.Name() != name {
		return fmt.Errorf("verifier key %q is not for origin %q", vkey, name)
	}
	return nil
}

// A Signer signs for one log. It is safe for concurrent use.
type Signer struct {
	note.Signer
	vkey string
}

var errSignerKey = errors.New("not a signer key: want PRIVATE+KEY+<origin>+<hash>+<base64>, as `custody keygen` writes it")

// NewSigner reads a signer key in the signed-note form.
func NewSigner(skey string) (*Signer, error) {
	s, err := note.NewSigner(skey)
	if err != nil {
		return nil, errSignerKey // The library's error can quote the secret.
	}
	if err := CheckOrigin(s.Name()); err != nil {
		return nil, err
	}
	parts := strings.SplitN(skey, "+", 5) // PRIVATE, KEY, name, hash, key; base64 may hold a +
	raw, err := base64.StdEncoding.DecodeString(parts[4])
	if err != nil || len(raw) != 1+ed25519.SeedSize || raw[0] != algEd25519 {
		return nil, errSignerKey
	}
	pub := ed25519.NewKeyFromSeed(raw[1:]).Public().(ed25519.PublicKey)
	vkey, err := note.NewEd25519VerifierKey(s.Name(), pub)
	if err != nil {
		return nil, fmt.Errorf("derive verifier key: %w", err)
	}
	return &Signer{s, vkey}, nil
}

// VerifierKey is the public counterpart.
func (s *Signer) VerifierKey() string { return s.vkey }

// ID is the key's name and hash, as `name+hash`.
func (s *Signer) ID() string { return fmt.Sprintf("%s+%08x", s.Name(), s.KeyHash()) }

// Keys are the verifier keys that a reader trusts, one or more for each origin.
type Keys struct {
	list  note.Verifiers
	all   []note.Verifier
	vkeys []string // the texts of all
	names map[string]bool
}

// ParseKeys reads verifier keys, one on a line; empty lines and lines that
// begin with # are skipped. No key at all is an error.
func ParseKeys(text string) (*Keys, error) {
	type id struct {
		name string
		hash uint32
	}
	k, seen := &Keys{names: map[string]bool{}}, map[id]string{}
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if strings.HasPrefix(line, "PRIVATE+KEY+") {
			return nil, fmt.Errorf("line %d is a private key; give the public one (.pub)", i+1)
		}
		v, err := note.NewVerifier(line)
		if err != nil {
			return nil, fmt.Errorf("line %d is not a verifier key of the form <origin>+<hash>+<base64>: %w", i+1, err)
		}
		switch other, ok := seen[id{v.Name(), v.KeyHash()}]; {
		case ok && other == line:
			continue // Joined key files repeat keys.
		case ok:
			return nil, fmt.Errorf("line %d has the name and hash of another key: keep the one that is right", i+1)
		}
		seen[id{v.Name(), v.KeyHash()}] = line
		if k.Has(line) {
			continue // Twice the same key would make every note ambiguous.
		}
		k.add(v, line)
	}
	if len(k.all) == 0 {
		return nil, errors.New("no verifier key found: want lines of the form <origin>+<hash>+<base64>")
	}
	k.list = note.VerifierList(k.all...)
	return k, nil
}

func (k *Keys) add(v note.Verifier, vkey string) {
	k.all, k.vkeys = append(k.all, v), append(k.vkeys, vkey)
	k.names[v.Name()] = true
}

// Of are those of the keys whose name is the origin. To them the others are
// unknown (spec §5).
func (k *Keys) Of(origin string) *Keys {
	of := &Keys{names: map[string]bool{}}
	for i, v := range k.all {
		if v.Name() == origin {
			of.add(v, k.vkeys[i])
		}
	}
	of.list = note.VerifierList(of.all...)
	return of
}

// Trusts says whether there is a key for the origin.
func (k *Keys) Trusts(origin string) bool { return k.names[origin] }

// Has says whether vkey itself is among the keys.
func (k *Keys) Has(vkey string) bool {
	for _, v := range k.vkeys {
		if v == vkey {
			return true
		}
	}
	return false
}

// VerifierKeys are the keys as they were read.
func (k *Keys) VerifierKeys() []string { return k.vkeys }
