package cloudtrail

import (
	"strings"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/draft"
)

// cloudTrailService is the actor of what CloudTrail itself states.
const cloudTrailService = "cloudtrail.amazonaws.com"

// actor maps who did it.
func (m *mapper) actor(category string) {
	switch category {
	case categoryInsight, categoryAggregated:
		m.Put(audit.AttrActorID, cloudTrailService)
		m.Put(audit.AttrActorType, audit.ActorSystem)
		return
	}
	kind := m.str(slotActorType)
	if id := m.actorID(kind); id != "" {
		m.Put(audit.AttrActorID, id)
		m.Put(audit.AttrActorType, m.actorType(kind))
	}
	m.Put(audit.AttrActorTypeOriginal, kind)
	m.Put(audit.AttrUserID, draft.First(m.str(slotActorPrincipal), m.str(slotActorUserID), m.str(slotBehalfUser)))
	m.Put(audit.AttrUserName, m.str(slotActorName))
	m.Put(audit.AttrActorAccountID, m.str(slotActorAccount))
	m.Put(audit.AttrActorCredentialID, draft.First(m.str(slotActorKey), m.str(slotActorCredential)))
	m.Put(audit.AttrActorAppID, draft.First(m.str(slotScopeIssuedTo), m.str(slotScopeSource)))
	m.Put(audit.AttrActorAppName, m.str(slotActorInvokedBy))
	m.Put(audit.AttrActorIDP, draft.First(m.str(slotActorIDP), m.str(slotWebProvider), m.str(slotActorStore), m.str(slotBehalfStore)))
	m.session(kind)
	m.delegation()
}

// actorID returns the most durable id there is.
func (m *mapper) actorID(kind string) string {
	if kind == "IdentityCenterUser" {
		if id := m.identityCenterID(); id != "" {
			return id
		}
	}
	id := draft.First(m.str(slotActorARN), m.str(slotActorPrincipal))
	if id == "" && (kind == "AWSService" || kind == "") {
		id = m.str(slotActorInvokedBy)
	}
	if id == "" {
		id = draft.First(m.str(slotActorUserID), m.str(slotActorName), m.str(slotActorCredential), m.str(slotActorInvokedBy))
	}
	if id == "" && m.isServiceEvent() {
		id = m.str(slotSource) // such an event names nobody else
	}
	return draft.First(id, m.str(slotActorAccount))
}

// identityCenterID joins the user's id with the store in which it is unique.
func (m *mapper) identityCenterID() string {
	user := draft.First(m.str(slotActorUserID), m.str(slotBehalfUser))
	store := draft.First(m.str(slotActorStore), m.str(slotBehalfStore))
	if user == "" || store == "" {
		return user
	}
	return store + "/" + user
}

// actorType maps the kind of an identity to user or service. An assumed role
// is a user unless something shows that a service or a machine acts: a person
// taken for a machine would be the worse mistake.
func (m *mapper) actorType(kind string) string {
	switch kind {
	case "Root", "IAMUser", "FederatedUser", "SAMLUser", "WebIdentityUser", "IdentityCenterUser", "Directory", "Unknown":
		return audit.ActorUser
	case "AWSService", "AWSAccount":
		return audit.ActorService
	case "AssumedRole", "Role":
		if m.isMachineRole() {
			return audit.ActorService
		}
		return audit.ActorUser
	case "":
		if m.isServiceEvent() || m.str(slotActorInvokedBy) != "" {
			return audit.ActorService // service events have no type
		}
	}
	return audit.ActorUser
}

// isServiceEvent reports whether a service acted, without being called.
func (m *mapper) isServiceEvent() bool { return m.str(slotEventType) == "AwsServiceEvent" }

func (m *mapper) isMachineRole() bool {
	if fromConsole, _ := m.boolean(slotFromConsole); fromConsole {
		return false
	}
	// invokedBy proves nothing: services pass a person's session on.
	return m.s.has(slotSessionEC2) || m.s.has(slotScope) ||
		strings.Contains(m.str(slotIssuerARN), ":role/aws-service-role/") ||
		strings.HasPrefix(m.sessionName(), "i-")
}

// sessionName returns what follows the colon of an assumed role's principal.
func (m *mapper) sessionName() string {
	_, name, _ := strings.Cut(m.str(slotActorPrincipal), ":")
	return name
}

// session maps the temporary credentials' session.
func (m *mapper) session(kind string) {
	issuer := m.str(slotIssuerARN)
	m.Put(audit.AttrSessionIssuer, issuer)
	if kind == "AssumedRole" || kind == "FederatedUser" || kind == "Role" {
		m.Put(audit.AttrSessionName, m.sessionName())
	}
	if m.str(slotIssuerType) == "Role" {
		m.PutList(audit.AttrUserRoles, issuer)
	}
	m.Put(audit.AttrSessionCreated, m.str(slotSessionCreated))
	// A sign-in says whether a second factor was used; a session carries it on.
	if used, ok := m.boolean(slotMFAUsed); ok {
		m.PutBool(audit.AttrSessionMFA, used)
	} else if used, ok := m.boolean(slotSessionMFA); ok {
		m.PutBool(audit.AttrSessionMFA, used)
	}
}

// delegation lists, oldest first, for whom the actor acts: the identity that
// began the chain of roles, the user on whose behalf, the delegating account.
func (m *mapper) delegation() {
	behalf := ""
	if m.s.has(slotBehalf) {
		behalf = m.str(slotBehalfUser)
		if store := m.str(slotBehalfStore); store != "" && behalf != "" {
			behalf = store + "/" + behalf
		}
	}
	m.PutList(audit.AttrActorDelegation, m.str(slotSessionSource), behalf, m.str(slotDelegateAccount))
}
