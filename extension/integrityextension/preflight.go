package integrityextension

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"go.opentelemetry.io/collector/component"

	"github.com/otelcol-custody/custody/internal/keyfile"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
)

// CheckStart finds for the command validate what only a start would find: files
// that cannot be used, and authenticators that are not among the extensions. It
// asks no store and no other machine.
func (c *Config) CheckStart(extensions []component.ID) error {
	_, err := c.read()
	errs := each(err)
	for _, a := range c.authenticators() {
		if !slices.Contains(extensions, a.id) {
			errs = append(errs, fmt.Errorf("%s::auth: there is no extension %q; configure it below `extensions` and list it in `service::extensions`", a.key, a.id))
		}
	}
	return errors.Join(errs...)
}

// files are what the files hold that a configuration names.
type files struct {
	keys    *checkpoint.Keys
	secrets [][]byte    // of the webhook; nil without one
	tls     *tls.Config // of the API; nil without
}

// read reads all files, so that a wrong one is found before anything is begun.
func (c *Config) read() (f files, err error) {
	var errs faults
	if f.keys, err = keyfile.ReadKeys(c.LogKeys...); errors.Is(err, fs.ErrNotExist) {
		errs.add("log_keys", "%w; it is written beside the private key by `custody keygen`", err)
	} else if err != nil {
		errs.add("log_keys", "%w", err)
	}
	if h := c.HTTP.Get(); h != nil && h.TLS.HasValue() {
		if f.tls, err = h.TLS.Get().LoadTLSConfig(context.Background()); err != nil {
			errs.add("http::tls", "%w", err)
		}
	}
	if w := c.Webhook.Get(); w != nil {
		if f.secrets, err = readSecrets(w.Secret.File); err != nil {
			errs.add("webhook::secret::file", "%w", err)
		}
		w.Client.read(&errs, "webhook")
	}
	for i, p := range c.Peers {
		p.Client.read(&errs, fmt.Sprintf("peers[%d]", i))
	}
	return f, errors.Join(errs...)
}

func (c *Client) read(f *faults, key string) {
	if _, err := c.TLS.LoadTLSConfig(context.Background()); err != nil {
		f.add(key+"::tls", "%w", err)
	}
}

// An authenticator is an extension that a part of the configuration needs.
type authenticator struct {
	key string
	id  component.ID
}

func (c *Config) authenticators() (all []authenticator) {
	if h := c.HTTP.Get(); h != nil && h.Auth.HasValue() {
		all = append(all, authenticator{"http", h.Auth.Get().Config.AuthenticatorID})
	}
	if w := c.Webhook.Get(); w != nil && w.Client.Auth.HasValue() {
		all = append(all, authenticator{"webhook", w.Client.Auth.Get().AuthenticatorID})
	}
	for i, p := range c.Peers {
		if p.Client.Auth.HasValue() {
			all = append(all, authenticator{fmt.Sprintf("peers[%d]", i), p.Client.Auth.Get().AuthenticatorID})
		}
	}
	return all
}
