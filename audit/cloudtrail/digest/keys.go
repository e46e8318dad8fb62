package digest

import (
	"crypto/md5"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
)

// MinKeyBits is the least that an RSA key must have to prove anything.
const MinKeyBits = 2048

// ErrKeys means that a document is not what ListPublicKeys answers.
var ErrKeys = errors.New("not a list of public keys")

// A Key is a public key with which CloudTrail signs in one region for some time. Only
// [NewKey] and [ParseKeys] make one.
type Key struct {
	fingerprint string
	der         []byte
	public      *rsa.PublicKey
}

// Fingerprint is the lower-case hex MD5 of the key's DER, by which digests name it.
func (k Key) Fingerprint() string { return k.fingerprint }

// DER is the key as ListPublicKeys gave it; the caller does not change it.
func (k Key) DER() []byte { return k.der }

// Bits is the size of the key's modulus. One that is too small proves nothing.
func (k Key) Bits() int { return k.public.N.BitLen() }

// NewKey makes a key of its DER: PKCS#1 as CloudTrail gives it, or SubjectPublicKeyInfo as
// it once did. A fingerprint that is claimed must be the DER's; "" claims none.
func NewKey(der []byte, claimed string) (Key, error) {
	sum := md5.Sum(der) // CloudTrail's choice; what is trusted is the DER, not the sum.
	k := Key{fingerprint: hex.EncodeToString(sum[:]), der: der}
	if claimed != "" && claimed != k.fingerprint {
		return Key{}, fmt.Errorf("key %s: its bytes have the fingerprint %s: it was altered, do not use this file", claimed, k.fingerprint)
	}
	var err error
	if k.public, err = x509.ParsePKCS1PublicKey(der); err == nil {
		return k, nil
	}
	other, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return Key{}, fmt.Errorf("key %s: neither PKCS#1 nor SubjectPublicKeyInfo: %w", k.fingerprint, err)
	}
	var ok bool
	if k.public, ok = other.(*rsa.PublicKey); !ok {
		return Key{}, fmt.Errorf("key %s: not an RSA key", k.fingerprint)
	}
	return k, nil
}

// ParseKeys reads the document that ListPublicKeys answers and `aws cloudtrail
// list-public-keys` prints. A key that cannot be used makes all of it an error: who gives
// keys wants them used. Errors are [ErrKeys].
func ParseKeys(document []byte) ([]Key, error) {
	var list struct {
		PublicKeyList []struct{ Value, Fingerprint string }
	}
	if err := json.Unmarshal(document, &list); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKeys, err)
	}
	if len(list.PublicKeyList) == 0 {
		return nil, fmt.Errorf("%w: PublicKeyList is missing or empty: ask in the trail's region, for the time of the digests", ErrKeys)
	}
	var keys []Key
	for i, one := range list.PublicKeyList {
		der, err := base64.StdEncoding.DecodeString(one.Value)
		if err != nil {
			return nil, fmt.Errorf("%w: PublicKeyList[%d]: Value: %w", ErrKeys, i, err)
		}
		k, err := NewKey(der, one.Fingerprint)
		if err != nil {
			return nil, fmt.Errorf("%w: PublicKeyList[%d]: %w", ErrKeys, i, err)
		}
		keys = append(keys, k)
	}
	return keys, nil
}

// Keys are known keys by fingerprint.
type Keys map[string]Key

// Add adds keys and returns those that were not known. The first key of a fingerprint
// stays: fingerprints are MD5, and nobody is to replace a key by another one.
func (k Keys) Add(keys ...Key) (fresh []Key) {
	for _, key := range keys {
		if _, ok := k[key.fingerprint]; !ok {
			k[key.fingerprint] = key
			fresh = append(fresh, key)
		}
	}
	return fresh
}
