package storeconfig

import (
	"fmt"
	"strings"

	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/confmap"

	"github.com/otelcol-custody/custody/store/azblobstore"
)

// AzureAuth is one way to authenticate, at most. Without any it is the default:
// environment variables, workload identity, managed identity, az login.
type AzureAuth struct {
	Default          *AzureDefault          `mapstructure:"default"`
	ManagedIdentity  *AzureManagedIdentity  `mapstructure:"managed_identity"`
	WorkloadIdentity *AzureWorkloadIdentity `mapstructure:"workload_identity"`
	ClientSecret     *AzureClientSecret     `mapstructure:"client_secret"`
	SharedKey        *AzureSharedKey        `mapstructure:"shared_key"`
	SAS              *AzureSAS              `mapstructure:"sas"`
	ConnectionString configopaque.String    `mapstructure:"connection_string"`
}

// AzureDefault leaves it to the SDK.
type AzureDefault struct{}

// AzureManagedIdentity is a user-assigned one.
type AzureManagedIdentity struct {
	ClientID string `mapstructure:"client_id"`
}

// AzureWorkloadIdentity is that of a Kubernetes pod; what is empty comes from
// the variables that the webhook sets.
type AzureWorkloadIdentity struct {
	TenantID string `mapstructure:"tenant_id"`
	ClientID string `mapstructure:"client_id"`
}

// AzureClientSecret is a service principal.
type AzureClientSecret struct {
	TenantID     string              `mapstructure:"tenant_id"`
	ClientID     string              `mapstructure:"client_id"`
	ClientSecret configopaque.String `mapstructure:"client_secret"`
}

// AzureSharedKey is the account's own key, which may do everything.
type AzureSharedKey struct {
	Account string              `mapstructure:"account"`
	Key     configopaque.String `mapstructure:"key"`
}

// AzureSAS is a shared access signature.
type AzureSAS struct {
	Token configopaque.String `mapstructure:"token"`
}

// Unmarshal takes a method without settings, as in `workload_identity:`, for
// chosen. Elsewhere null means that nothing is set, and another identity than
// the one that was named would be used without a word.
func (a *AzureAuth) Unmarshal(conf *confmap.Conf) error {
	chosen := map[string]any{}
	for key, value := range conf.ToStringMap() {
		if value == nil {
			chosen[key] = map[string]any{}
		}
	}
	if err := conf.Merge(confmap.NewFromStringMap(chosen)); err != nil {
		return err
	}
	return conf.Unmarshal(a)
}

// Format prints the method's name. Without it some verbs of fmt look behind the
// pointers and past the types that hide secrets.
func (a AzureAuth) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprint(f, strings.Join(a.methods(), " and "))
}

// methods names what is chosen.
func (a *AzureAuth) methods() []string {
	var names []string
	for _, m := range []struct {
		name string
		set  bool
	}{
		{"default", a.Default != nil},
		{"managed_identity", a.ManagedIdentity != nil},
		{"workload_identity", a.WorkloadIdentity != nil},
		{"client_secret", a.ClientSecret != nil},
		{"shared_key", a.SharedKey != nil},
		{"sas", a.SAS != nil},
		{"connection_string", a.ConnectionString != ""},
	} {
		if m.set {
			names = append(names, m.name)
		}
	}
	return names
}

func (a *AzureAuth) check(f *faults) {
	if m := a.methods(); len(m) > 1 {
		f.add("auth", "%s are given; keep one of them", strings.Join(m, " and "))
	}
	required := func(key, value string) {
		if value == "" {
			f.add("auth::"+key, "required")
		}
	}
	if m := a.ManagedIdentity; m != nil && m.ClientID == "" {
		f.add("auth::managed_identity::client_id", "required: which user-assigned identity; for the system-assigned one write auth: {default: {}}")
	}
	if s := a.ClientSecret; s != nil {
		required("client_secret::tenant_id", s.TenantID)
		required("client_secret::client_id", s.ClientID)
		required("client_secret::client_secret", string(s.ClientSecret))
	}
	if s := a.SharedKey; s != nil {
		required("shared_key::key", string(s.Key))
	}
	if s := a.SAS; s != nil {
		required("sas::token", string(s.Token))
	}
}

func (a *AzureAuth) apply(opt *azblobstore.Options) {
	switch {
	case a.ManagedIdentity != nil:
		opt.ManagedIdentityClientID = a.ManagedIdentity.ClientID
	case a.WorkloadIdentity != nil:
		opt.WorkloadIdentity, opt.TenantID, opt.ClientID = true, a.WorkloadIdentity.TenantID, a.WorkloadIdentity.ClientID
	case a.ClientSecret != nil:
		opt.TenantID, opt.ClientID, opt.ClientSecret = a.ClientSecret.TenantID, a.ClientSecret.ClientID, string(a.ClientSecret.ClientSecret)
	case a.SharedKey != nil:
		opt.AccountName, opt.AccountKey = a.SharedKey.Account, string(a.SharedKey.Key)
	case a.SAS != nil:
		opt.SASToken = string(a.SAS.Token)
	case a.ConnectionString != "":
		opt.ConnectionString = string(a.ConnectionString)
	}
}
