package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// secretPrefix marks a secret, in the way of Standard Webhooks.
const secretPrefix = "whsec_"

// The length of a secret in bytes, by Standard Webhooks.
const minSecret, maxSecret = 24, 64

// ParseSecrets reads secrets, one on a line, as `whsec_` and padded base64 of 24
// to 64 bytes. Empty lines and lines that begin with # are skipped. Messages do
// not show what a line holds.
func ParseSecrets(text string) ([][]byte, error) {
	var all [][]byte
	for n, line := range strings.Split(text, "\n") {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		encoded, ok := strings.CutPrefix(line, secretPrefix)
		secret, err := base64.StdEncoding.DecodeString(encoded)
		if !ok || err != nil || len(secret) < minSecret || len(secret) > maxSecret {
			return nil, fmt.Errorf("line %d is not a webhook secret: make one with `printf 'whsec_%%s\\n' \"$(openssl rand -base64 32)\"`", n+1)
		}
		all = append(all, secret)
	}
	if len(all) == 0 {
		return nil, errors.New("no webhook secret: make one with `printf 'whsec_%s\\n' \"$(openssl rand -base64 32)\"`")
	}
	return all, nil
}

// sign makes the signature header: one signature for each secret.
func sign(secrets [][]byte, id string, at time.Time, body []byte) string {
	var all []string
	for _, s := range secrets {
		m := hmac.New(sha256.New, s)
		m.Write([]byte(id + "." + strconv.FormatInt(at.Unix(), 10) + "."))
		m.Write(body)
		all = append(all, "v1,"+base64.StdEncoding.EncodeToString(m.Sum(nil)))
	}
	return strings.Join(all, " ")
}
