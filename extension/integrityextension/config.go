package integrityextension

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configauth"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configtls"

	"github.com/otelcol-custody/custody/ledger"
)

// Config is the configuration of integrity.
type Config struct {
	// StateDir holds what the extension remembers. It belongs to one extension.
	StateDir string `mapstructure:"state_dir"`
	// LogKeys are files with the public keys of the logs that are judged.
	LogKeys []string `mapstructure:"log_keys"`
	// Logs are those that every store has to hold; none: all that are found.
	Logs   []string `mapstructure:"logs"`
	Stores Stores   `mapstructure:"stores"`

	// PollInterval is how often stores are asked for new segments.
	PollInterval time.Duration `mapstructure:"poll_interval"`
	// FullPassEvery is the guarantee: every byte is read again at least so often.
	FullPassEvery time.Duration `mapstructure:"full_pass_every"`
	// BandwidthLimitMiB limits what is read from all stores together, in MiB a
	// second; 0: no limit.
	BandwidthLimitMiB int `mapstructure:"bandwidth_limit_mib"`
	// BehindAfter is how long a store may lack what another one has.
	BehindAfter time.Duration `mapstructure:"behind_after"`
	// Workers is how many segments are checked at once.
	Workers int `mapstructure:"workers"`

	// HTTP is where the API listens; without it there is none.
	HTTP configoptional.Optional[confighttp.ServerConfig] `mapstructure:"http"`
	// IndexMaxMiB bounds the index that finds records by their ids, for each log.
	IndexMaxMiB int `mapstructure:"index_max_size_mib"`
	// ServeRecords lets the API hand out what records say.
	ServeRecords bool `mapstructure:"serve_records"`

	Webhook configoptional.Optional[Webhook] `mapstructure:"webhook"`
	Peers   []Peer                           `mapstructure:"peers"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// Webhook says where incidents are posted.
type Webhook struct {
	Client Client `mapstructure:",squash"`
	// Secret is what the posts are signed with.
	Secret Secret `mapstructure:"secret"`
}

// Secret is one that lies in a file, so that no configuration shows it.
type Secret struct {
	File string `mapstructure:"file"`
}

// Peer is another integrity extension, with which heads are exchanged.
type Peer struct {
	Client Client `mapstructure:",squash"`
}

// name is the peer's in findings: the endpoint without its scheme.
func (p *Peer) name() string {
	_, name, _ := strings.Cut(p.Client.Endpoint, "://")
	return strings.TrimRight(name, "/")
}

// Client is how another machine is reached: the part of confighttp.ClientConfig
// that makes sense here. That one takes misspelt keys without a word.
type Client struct {
	Endpoint string                                     `mapstructure:"endpoint"`
	TLS      configtls.ClientConfig                     `mapstructure:"tls"`
	Auth     configoptional.Optional[configauth.Config] `mapstructure:"auth"`
	Headers  configopaque.MapList                       `mapstructure:"headers"`
	ProxyURL string                                     `mapstructure:"proxy_url"`
	// Timeout is how long an answer may take; 0 means 30 s.
	Timeout time.Duration `mapstructure:"timeout"`
}

const (
	shortestPoll = 100 * time.Millisecond
	longestPoll  = time.Hour
	// shortestWait is less than anybody means, and more than a number without a unit.
	shortestWait = time.Millisecond
	// maxWorkers limits memory: each holds a segment and its lines.
	maxWorkers = 64
	// callTimeout is how long a webhook or a peer may take to answer.
	callTimeout = 30 * time.Second
)

func createDefaultConfig() *Config {
	server := confighttp.NewDefaultServerConfig()
	server.ReadHeaderTimeout = 10 * time.Second
	server.MaxRequestBodySize = 1 << 10 // Requests of a reading API have none.
	return &Config{
		PollInterval: 5 * time.Second, FullPassEvery: 30 * 24 * time.Hour, BehindAfter: 15 * time.Minute, Workers: 2, IndexMaxMiB: 8 << 10,
		HTTP: configoptional.Default(server),
	}
}

// http makes the client.
func (c *Client) http(ctx context.Context, host component.Host, set component.TelemetrySettings) (*http.Client, error) {
	full := confighttp.NewDefaultClientConfig()
	full.Endpoint, full.TLS, full.Auth, full.Headers, full.ProxyURL = c.Endpoint, c.TLS, c.Auth, c.Headers, c.ProxyURL
	if full.Timeout = c.Timeout; full.Timeout == 0 {
		full.Timeout = callTimeout
	}
	return full.ToClient(ctx, host.GetExtensions(), set)
}

// faults gathers what is wrong, each led by its key.
type faults []error

func (f *faults) add(key, format string, args ...any) {
	*f = append(*f, fmt.Errorf(key+": "+format, args...))
}

// Validate reports every fault at once. It touches nothing.
func (c *Config) Validate() error {
	var f faults
	if c.StateDir == "" {
		f.add("state_dir", "required: a folder on a local disk, for this extension alone")
	}
	if len(c.LogKeys) == 0 {
		f.add("log_keys", "required: files with the public keys (.pub) of the logs to judge")
	}
	for i, file := range c.LogKeys {
		if file == "" {
			f.add(fmt.Sprintf("log_keys[%d]", i), "must name a file")
		}
	}
	for i, name := range c.Logs {
		if err := ledger.CheckLogName(name); err != nil {
			f.add(fmt.Sprintf("logs[%d]", i), "%w", err)
		}
	}
	c.Stores.check(&f)
	c.checkPace(&f)
	c.checkChannels(&f)
	return errors.Join(f...)
}

func (c *Config) checkPace(f *faults) {
	if c.PollInterval < shortestPoll || c.PollInterval > longestPoll {
		f.add("poll_interval", "must be between %v and %v, got %v; write a unit, as in 5s", shortestPoll, longestPoll, c.PollInterval)
	}
	if c.FullPassEvery < c.PollInterval || c.FullPassEvery <= 0 {
		f.add("full_pass_every", "must be at least poll_interval, got %v; write a unit, as in 720h", c.FullPassEvery)
	}
	if c.BehindAfter < shortestWait {
		f.add("behind_after", "must be at least %v, got %v; write a unit, as in 15m", shortestWait, c.BehindAfter)
	}
	if c.BandwidthLimitMiB < 0 {
		f.add("bandwidth_limit_mib", "must not be negative, got %d; 0 means no limit", c.BandwidthLimitMiB)
	}
	if c.Workers < 1 || c.Workers > maxWorkers {
		f.add("workers", "must be 1 to %d, got %d", maxWorkers, c.Workers)
	}
}

func (c *Config) checkChannels(f *faults) {
	h := c.HTTP.Get()
	if h != nil {
		checkListener(f, h)
	}
	if c.IndexMaxMiB < 1 {
		f.add("index_max_size_mib", "must be at least 1, got %d", c.IndexMaxMiB)
	} else if h == nil && c.ServeRecords {
		f.add("serve_records", "needs http, where records would be served")
	}
	c.checkOthers(f)
}

// checkListener wants an address that can be listened on, as far as that shows.
func checkListener(f *faults, h *confighttp.ServerConfig) {
	if h.NetAddr.Endpoint == "" {
		f.add("http::endpoint", "required, such as 127.0.0.1:8480")
	} else if _, _, err := net.SplitHostPort(h.NetAddr.Endpoint); err != nil && strings.HasPrefix(string(h.NetAddr.Transport), "tcp") {
		f.add("http::endpoint", "must be an address with a port, such as 127.0.0.1:8480, got %q", h.NetAddr.Endpoint)
	}
}

// checkOthers checks what is said of other machines.
func (c *Config) checkOthers(f *faults) {
	if w := c.Webhook.Get(); w != nil {
		w.Client.check(f, "webhook", "https://alerts.example.com/custody")
		if w.Secret.File == "" {
			f.add("webhook::secret::file", "required: a file with the secret that posts are signed with; README.md says how to make one")
		}
	}
	seen := map[string]bool{}
	for i, p := range c.Peers {
		key := fmt.Sprintf("peers[%d]", i)
		p.Client.check(f, key, "https://judge-2.example.com:8480")
		if u, err := url.Parse(p.Client.Endpoint); err == nil && (u.RawQuery != "" || u.ForceQuery || u.Fragment != "") {
			f.add(key+"::endpoint", "must be the URL of an API, without a query; credentials go into auth or headers")
		}
		if seen[p.name()] {
			f.add(key+"::endpoint", "stands there twice")
		}
		seen[p.name()] = true
	}
}

// check does not repeat the URL: it may hold a secret.
func (c *Client) check(f *faults, key, example string) {
	u, err := url.Parse(c.Endpoint)
	switch {
	case c.Endpoint == "":
		f.add(key+"::endpoint", "required, such as %s", example)
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		f.add(key+"::endpoint", "must be a URL such as %s", example)
	case u.User != nil:
		f.add(key+"::endpoint", "must not carry a user; credentials go into auth or headers")
	}
	if c.Timeout != 0 && c.Timeout < shortestWait {
		f.add(key+"::timeout", "must be at least %v, got %v; write a unit, as in %v", shortestWait, c.Timeout, callTimeout)
	}
}
