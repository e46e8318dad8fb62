package gcp

import (
	"strings"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/draft"
	"github.com/otelcol-custody/custody/audit/internal/kubeapi"
)

// actor maps who did it. Google may withhold it: of those whom a policy denied, and of
// public access.
//
// Source: https://cloud.google.com/logging/docs/reference/audit/auditlog/rest/Shared.Types/AuditLog#AuthenticationInfo
func (e *entry) actor() {
	email, subject := e.Str(fPrincipal), e.Str(fSubject)
	kind, name, _ := strings.Cut(subject, ":")
	id := draft.First(email, subject, e.Str(fThirdParty))
	switch {
	case id != "":
		e.Put(audit.AttrActorID, id)
		e.Put(audit.AttrActorType, actorType(email, subject))
	case e.category == systemEvent && e.service != "":
		e.Put(audit.AttrActorID, e.service) // it acts by itself, and names nobody else
		e.Put(audit.AttrActorType, audit.ActorSystem)
	}
	e.Put(audit.AttrActorTypeOriginal, kind)
	e.Put(audit.AttrUserID, subject)
	e.Put(audit.AttrUserName, draft.First(email, e.Str(fThirdParty)))
	if strings.Contains(email, "@") {
		e.Put(audit.AttrUserEmail, email)
	}
	e.Put(audit.AttrActorCredentialID, e.Str(fKeyName))
	e.Put(audit.AttrActorAppID, e.Str(fClient))
	if pool, _, ok := strings.Cut(strings.TrimPrefix(name, "//iam.googleapis.com/"), "/subject/"); ok {
		e.Put(audit.AttrActorIDP, pool)
	}
	e.PutList(audit.AttrActorDelegation, e.delegates()...)
}

// delegates are those on whose authority a service account acts, in the order in which
// they passed it on: the one who began is the first.
func (e *entry) delegates() (all []string) {
	for i := range e.Elements(fDelegate, fDelegateSubject, fDelegateThirdParty) {
		all = append(all, draft.First(e.StrAt(fDelegate, i), e.StrAt(fDelegateSubject, i), e.StrAt(fDelegateThirdParty, i)))
	}
	return all
}

func actorType(email, subject string) string {
	switch {
	case email == "system@google.com":
		return audit.ActorSystem
	case strings.HasPrefix(email, "system:"):
		return kubeapi.ActorType(email)
	case strings.HasSuffix(email, ".gserviceaccount.com"), strings.HasPrefix(subject, "serviceAccount:"), strings.Contains(subject, "/workloadIdentityPools/"):
		return audit.ActorService
	}
	return audit.ActorUser
}

// source maps from where the request came. Google may say only that it was from within.
func (e *entry) source() {
	switch ip := e.Str(fCallerIP); {
	case ip == "private" || ip == "gce-internal-ip":
		e.SourceOf(ip, audit.SourceRedacted)
	case ip != "":
		e.Source(ip)
	case e.category != systemEvent: // which nobody called
		e.Put(audit.AttrSourceType, audit.SourceRedacted)
	}
	e.Put(audit.AttrUserAgent, e.Str(fUserAgent))
	e.Put(audit.AttrHTTPMethod, e.Str(fHTTPMethod))
	e.Put(audit.AttrURLPath, draft.WithoutQuery(e.Str(fHTTPPath)))
}
