package digesttest

import (
	"crypto/md5"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"sync"
	"testing"
)

var (
	mu   sync.Mutex
	keys = map[string]*rsa.PrivateKey{} // guarded by mu
)

// PrivateKey makes a key, once for each name and size.
func PrivateKey(t testing.TB, name string, bits int) *rsa.PrivateKey {
	t.Helper()
	mu.Lock()
	defer mu.Unlock()
	id := fmt.Sprint(name, bits)
	if keys[id] == nil {
		k, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			t.Fatal(err)
		}
		keys[id] = k
	}
	return keys[id]
}

// Fingerprint is that of a public key's PKCS#1 DER.
func Fingerprint(k *rsa.PublicKey) string {
	sum := md5.Sum(x509.MarshalPKCS1PublicKey(k))
	return hex.EncodeToString(sum[:])
}

// A PublicKey is one of a KeyList.
type PublicKey struct {
	Value, Fingerprint                 string
	ValidityStartTime, ValidityEndTime float64
}

// KeyList is the document of ListPublicKeys for private keys.
func KeyList(t testing.TB, keys ...*rsa.PrivateKey) []byte {
	t.Helper()
	var list struct{ PublicKeyList []PublicKey }
	for _, k := range keys {
		list.PublicKeyList = append(list.PublicKeyList, PublicKey{
			Value:       base64.StdEncoding.EncodeToString(x509.MarshalPKCS1PublicKey(&k.PublicKey)),
			Fingerprint: Fingerprint(&k.PublicKey), ValidityStartTime: 1770000000, ValidityEndTime: 1780000000,
		})
	}
	return marshal(t, list)
}
