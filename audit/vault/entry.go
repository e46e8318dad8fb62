package vault

import (
	"strings"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/draft"
	"github.com/otelcol-custody/custody/audit/internal/jsonscan"
)

// The types of entries.
const (
	request  = "request"
	response = "response"
)

func mapEntry(f *jsonscan.Fields, d *draft.Draft) error {
	phase, path := f.Str(fType), f.Str(fPath)
	if phase != request && phase != response || f.Str(fID)+path == "" {
		return ErrNotEvent
	}
	namespace := draft.First(f.Str(fNamespaceID), f.Str(fNamespace))
	d.Rec.Resource = audit.Resource{Product: format.Product, AccountID: namespace, Stream: "audit"}
	d.Identify("vault", namespace, f.Str(fID)+"/"+phase)
	d.Put(audit.AttrPhase, phase)
	d.Time("time", f.Str(fTime))
	d.Put(audit.AttrRequestID, f.Str(fID))
	d.Put(audit.AttrCorrelationID, f.Str(fCorrelation))
	d.Put(audit.AttrOperation, f.Str(fOperation))
	d.Put(audit.AttrService, f.Str(fMountType))
	d.Put(audit.AttrAPIVersion, f.Str(fVersion))
	d.Put(audit.AttrURLPath, draft.WithoutQuery(f.Str(fURI)))
	m := meaningOf(f)
	m.put(d)
	outcome(f, d)
	if !putActor(f, fAuth, d) && !putActor(f, fGranted, d) {
		unknownActor(f, m, d)
	}
	source(f, d)
	targets(f, m, d)
	return nil
}

// outcome maps what came of it. An error in a request's line is that of the answer, too,
// and only said here.
func outcome(f *jsonscan.Fields, d *draft.Draft) {
	failed := f.Str(fError) != "" || isError(f)
	switch {
	case f.Str(fType) == request:
		d.Put(audit.AttrOutcome, audit.OutcomeUnknown)
	case failed:
		d.Put(audit.AttrOutcome, audit.OutcomeFailure)
	default:
		d.Put(audit.AttrOutcome, audit.OutcomeSuccess)
	}
	reason := f.Str(fError)
	if text := f.Str(fResponseError); reason == "" && failed && !strings.HasPrefix(text, "hmac-") {
		reason = text
	}
	d.Put(audit.AttrOutcomeReason, reason)
}

// isError knows an answer that is an error without saying so at the top, such as that
// to a wrong password. Vault's own rule: its data hold an error, and nothing else but
// maybe data.
func isError(f *jsonscan.Fields) bool {
	if !f.Has(fResponseError) || f.Kind(fResponseError) == jsonscan.Null {
		return false
	}
	s := jsonscan.Scanner{Data: []byte(f.Raw(fResponseData))}
	for more := s.Open('}'); more; {
		key, _, err := s.Key()
		if err != nil || string(key) != "error" && string(key) != "data" || s.Skip() != nil {
			return false
		}
		if more, err = s.Next('}'); err != nil {
			return false
		}
	}
	return true
}

// putActor maps who it is by the fields of an auth; false if it names nobody.
func putActor(f *jsonscan.Fields, auth int, d *draft.Draft) bool {
	str := func(field int) string { return f.Str(auth + field) }
	name := draft.First(str(aUserName), str(aName))
	id := draft.First(str(aEntity), name, str(aAccessor))
	if id == "" {
		return false
	}
	kind := audit.ActorUser
	if str(aRole) != "" || str(aServiceAccount) != "" || isMachine(str(aName)) {
		kind = audit.ActorService
	}
	d.Put(audit.AttrActorID, id)
	d.Put(audit.AttrActorType, kind)
	d.Put(audit.AttrUserID, str(aEntity))
	d.Put(audit.AttrUserName, name)
	d.PutList(audit.AttrUserRoles, f.Strs(auth+aPolicies)...)
	d.Put(audit.AttrActorCredentialID, str(aAccessor))
	d.Put(audit.AttrSessionCreated, str(aIssued))
	return true
}

// machines are the auth methods by which machines log in. A token's display name begins
// with that of the method's mount, which mostly has the method's name.
var machines = map[string]bool{
	"approle": true, "kubernetes": true, "aws": true, "gcp": true, "azure": true, "cert": true, "alicloud": true, "oci": true, "cf": true,
}

func isMachine(displayName string) bool {
	method, _, _ := strings.Cut(displayName, "-")
	return machines[method]
}

// unknownActor maps who it is where nobody has been authenticated: whoever a login is
// for, if its path says so.
func unknownActor(f *jsonscan.Fields, m meaning, d *draft.Draft) {
	switch {
	case m.event == audit.EventSystem:
		d.Put(audit.AttrActorID, "vault")
		d.Put(audit.AttrActorType, audit.ActorSystem)
	case m.action == audit.ActionLogin && m.name != "":
		d.Put(audit.AttrActorID, m.name)
		d.Put(audit.AttrActorType, audit.ActorUser)
		d.Put(audit.AttrUserName, m.name)
	}
}

// source maps from where it came. What a standby forwarded names the standby, too.
func source(f *jsonscan.Fields, d *draft.Draft) {
	address := f.Str(fAddress)
	d.Source(address)
	if draft.SourceType(address) != "" {
		d.PutPort(f.Str(fPort))
	}
	if via := f.Str(fForwardedFrom); via != "" {
		d.PutList(audit.AttrSourceChain, address, via)
	}
	d.Put(audit.AttrUserAgent, f.Str(fUserAgent))
}

// targets maps to what it was done: the path in its namespace, the token that was made,
// and the lease that was given.
func targets(f *jsonscan.Fields, m meaning, d *draft.Draft) {
	path := f.Str(fPath)
	if namespace := f.Str(fNamespace); !strings.HasPrefix(path, namespace) {
		path = namespace + path
	}
	d.AddTarget(draft.Target{ID: path, Type: draft.First(m.kind, f.Str(fMountType)), Name: m.name})
	d.AddTarget(draft.Target{ID: f.Str(fGranted + aAccessor), Type: "token", Name: f.Str(fGranted + aName)})
	d.AddTarget(draft.Target{ID: f.Str(fLease), Type: "lease"})
	d.PutTargets()
	if m.class == audit.ClassUserAccess && m.kind != "user" {
		d.PutList(audit.AttrPrivileges, m.name) // What a user is given, the device has hashed.
	}
}
