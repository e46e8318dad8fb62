package github

import (
	"strconv"
	"time"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/draft"
	"github.com/otelcol-custody/custody/audit/internal/jsonscan"
)

// The fields of an event that the mapping wants.
const (
	fID = iota
	fTimestamp
	fCreated
	fAction
	fOperation
	fActor
	fActorID
	fActorIsBot
	fActorIP
	fCountry
	fUserAgent
	fUser
	fUserID
	fOrg
	fOrgs
	fOrgID
	fOrgIDs
	fBusiness
	fBusinessID
	fRepo
	fRepos
	fTeam
	fTokenID
	fHashedToken
	fAccessType
	fExternalID
	fRequestID
	fTransport
)

var table = jsonscan.NewTable([]string{
	fID: "_document_id", fTimestamp: "@timestamp", fCreated: "created_at", fAction: "action", fOperation: "operation_type",
	fActor: "actor", fActorID: "actor_id", fActorIsBot: "actor_is_bot", fActorIP: "actor_ip", fCountry: "actor_location.country_code",
	fUserAgent: "user_agent", fUser: "user", fUserID: "user_id", fOrg: "org", fOrgs: "org[]", fOrgID: "org_id", fOrgIDs: "org_id[]",
	fBusiness: "business", fBusinessID: "business_id", fRepo: "repo", fRepos: "repo[]", fTeam: "team",
	fTokenID: "token_id", fHashedToken: "hashed_token", fAccessType: "programmatic_access_type",
	fExternalID: "external_identity_nameid", fRequestID: "request_id", fTransport: "transport_protocol_name",
})

func mapEvent(f *jsonscan.Fields, d *draft.Draft) error {
	action := f.Str(fAction)
	if action == "" {
		return ErrNotEvent
	}
	// An org is a name or a list of names, its id a number or a list of numbers.
	org := draft.First(f.Str(fOrg), f.Str(fOrgs))
	orgID := draft.First(f.Str(fOrgID), f.Str(fOrgIDs))
	business := draft.First(f.Str(fBusinessID), f.Str(fBusiness))
	d.Rec.Resource = audit.Resource{Product: format.Product, AccountID: draft.First(orgID, org), OrgID: business, Stream: "audit"}
	d.Identify("github", draft.First(business, orgID, org), f.Str(fID))
	setTime(f, d)
	d.Put(audit.AttrOperation, action)
	service, _ := split(action)
	d.Put(audit.AttrService, service)
	d.Put(audit.AttrRequestID, f.Str(fRequestID))
	classify(action, f.Str(fOperation), d)
	// GitHub tells of what was done; an attempt that failed has an action of its own.
	d.Put(audit.AttrOutcome, outcome(action))
	actor(f, d)
	d.Source(f.Str(fActorIP))
	d.Put(audit.AttrGeoCountry, f.Str(fCountry))
	d.Put(audit.AttrUserAgent, f.Str(fUserAgent))
	target(f, d, org)
	return nil
}

// setTime reads milliseconds since 1970; the REST API has them under another name.
func setTime(f *jsonscan.Fields, d *draft.Draft) {
	text := draft.First(f.Str(fTimestamp), f.Str(fCreated))
	if text == "" {
		d.Fault("@timestamp: missing")
		return
	}
	ms, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		d.Time("@timestamp", text)
		return
	}
	d.Rec.Time = time.UnixMilli(ms).UTC()
}

func actor(f *jsonscan.Fields, d *draft.Draft) {
	name, id := f.Str(fActor), f.Str(fActorID)
	kind := audit.ActorUser
	switch bot, _ := f.Bool(fActorIsBot); {
	case bot || isBot(name):
		kind = audit.ActorService
	case name == "" && id == "":
		// GitHub itself did it, such as a scheduled deletion.
		name, kind = "github", audit.ActorSystem
	}
	d.Put(audit.AttrActorID, draft.First(id, name))
	d.Put(audit.AttrActorType, kind)
	d.Put(audit.AttrActorTypeOriginal, f.Str(fAccessType))
	d.Put(audit.AttrUserID, id)
	d.Put(audit.AttrUserName, name)
	d.Put(audit.AttrUserEmail, f.Str(fExternalID))
	d.Put(audit.AttrActorCredentialID, draft.First(f.Str(fTokenID), f.Str(fHashedToken)))
}

func target(f *jsonscan.Fields, d *draft.Draft, org string) {
	if user := f.Str(fUser); user != "" && user != f.Str(fActor) {
		d.AddTarget(draft.Target{ID: draft.First(f.Str(fUserID), user), Type: "user", Name: user})
	}
	d.AddTarget(draft.Target{ID: f.Str(fTeam), Type: "team"})
	for _, repo := range append(f.Strs(fRepo), f.Strs(fRepos)...) {
		d.AddTarget(draft.Target{ID: repo, Type: "repository", Name: repo})
	}
	d.AddTarget(draft.Target{ID: org, Type: "organization", Name: org})
	d.AddTarget(draft.Target{ID: f.Str(fBusiness), Type: "enterprise", Name: f.Str(fBusiness)})
	d.PutTargets()
}
