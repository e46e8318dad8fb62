// Package vault reads the audit logs of HashiCorp Vault and of OpenBao, whose format is
// the same, in JSON, with a prefix on their lines or without. Every line becomes an
// [audit.Record] whose body is the line's JSON.
//
// A request gives two lines with one id: what was asked for, and the answer. They stay
// two records, told apart by audit.phase. What came of it, only the answer says: even a
// request that was refused right away, whose line holds the error already, has a line
// for the answer, and would count twice.
//
// Vault hashes strings with a key of its own (HMAC-SHA256). Such values stay as they
// are: equal ones are equal, within one audit device.
//
// What OpenBao has added leaves the form alone: it scans (a list of all below), and a
// request may bring its login with it, which is then logged as a request of its own, and
// gets a token that mostly has no accessor. Nothing on a line says for sure which of the
// two wrote it, so audit.product is Vault for both.
//
// Source: https://developer.hashicorp.com/vault/docs/audit and https://openbao.org/docs/audit/,
// https://openbao.org/docs/auth/ of inline authentication
package vault

import (
	"errors"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/frame"
)

// The reasons why bytes are quarantined, beside those of broken JSON.
var (
	// ErrNotVault means that the bytes hold no audit entries.
	ErrNotVault = errors.New("not a Vault audit log: expected an entry in JSON on each line")
	// ErrNotEvent means that an element among entries is not one.
	ErrNotEvent = errors.New("not a Vault audit entry: it has no type or no request")
)

var format = frame.Format{
	Product: "Vault", NotFile: ErrNotVault, NotEvent: ErrNotEvent,
	First: []string{"time", "auth"}, Prefixed: true,
}

// Parse calls emit once for every entry of inflated data, in its order: line by line,
// one after another, or in a list. The record and its Attributes are reused: they are
// valid until emit returns. Body points into data. What cannot be read is quarantined;
// the only errors that Parse returns are emit's.
func Parse(data []byte, emit func(*audit.Record) error) (audit.Counts, error) {
	return frame.Tabled(&format, table, mapEntry, data, emit)
}
