package digest

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
)

// The reasons why a signature proves nothing.
var (
	// ErrNoKey means that the key which the digest names is not known.
	ErrNoKey = errors.New("no public key with the digest's fingerprint")
	// ErrWeakKey means that the key could be forged.
	ErrWeakKey = fmt.Errorf("the key has less than %d bits", MinKeyBits)
	// ErrSignature means that the signature is not the key's for these bytes here.
	ErrSignature = errors.New("the signature does not fit")
)

// StringToSign is what CloudTrail signs for a digest that lies at an object, with the
// given inflated bytes.
func StringToSign(d *Digest, at Object, inflated []byte) string {
	return stringToSign(d, at, Hash(inflated))
}

func stringToSign(d *Digest, at Object, hash string) string {
	previous := d.Previous.Signature
	if previous == "" {
		previous = "null"
	}
	return d.EndText + "\n" + at.Bucket + "/" + at.Key + "\n" + hash + "\n" + previous
}

// Hash is the lower-case hex SHA-256 of inflated bytes.
func Hash(inflated []byte) string {
	sum := sha256.Sum256(inflated)
	return hex.EncodeToString(sum[:])
}

// Verify checks the signature (hex, RSA PKCS#1 v1.5 with SHA-256) of a digest that was
// parsed from the given inflated bytes and lies at an object. Errors are [ErrNoKey],
// [ErrWeakKey] and [ErrSignature].
func Verify(d *Digest, at Object, inflated []byte, signature string, keys Keys) error {
	return verify(d, at, Hash(inflated), signature, keys)
}

func verify(d *Digest, at Object, hash, signature string, keys Keys) error {
	key, ok := keys[d.Fingerprint]
	if !ok {
		return fmt.Errorf("%w %s", ErrNoKey, d.Fingerprint)
	}
	if key.Bits() < MinKeyBits {
		return fmt.Errorf("%w: key %s has %d", ErrWeakKey, d.Fingerprint, key.Bits())
	}
	raw, err := hex.DecodeString(signature)
	if err != nil {
		return fmt.Errorf("%w: it is not hex", ErrSignature)
	}
	sum := sha256.Sum256([]byte(stringToSign(d, at, hash)))
	if rsa.VerifyPKCS1v15(key.public, crypto.SHA256, sum[:], raw) != nil {
		return fmt.Errorf("%w to key %s", ErrSignature, d.Fingerprint)
	}
	return nil
}
