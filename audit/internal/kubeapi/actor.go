package kubeapi

import (
	"strings"

	"github.com/otelcol-custody/custody/audit"
)

// Names under system: belong to the cluster itself.
//
// Source: https://kubernetes.io/docs/reference/access-authn-authz/authentication/
const (
	system         = "system:"
	serviceAccount = "system:serviceaccount:"
	anonymous      = "system:anonymous"
)

// ActorType is the kind of a user of the API, by name. Who is anonymous may be anybody
// and counts as a user.
func ActorType(name string) string {
	switch {
	case name == anonymous || !strings.HasPrefix(name, system):
		return audit.ActorUser
	case strings.HasPrefix(name, serviceAccount) || strings.HasPrefix(name, "system:node:"):
		return audit.ActorService
	}
	return audit.ActorSystem
}
