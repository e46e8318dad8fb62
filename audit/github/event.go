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
	fRepository
	fMethod
	fPath
	fStatus
	fPermission
	fOldPermission
)

var table = jsonscan.NewTable([]string{
	fID: "_document_id", fTimestamp: "@timestamp", fCreated: "created_at", fAction: "action", fOperation: "operation_type",
	fActor: "actor", fActorID: "actor_id", fActorIsBot: "actor_is_bot", fActorIP: "actor_ip", fCountry: "actor_location.country_code",
	fUserAgent: "user_agent", fUser: "user", fUserID: "user_id", fOrg: "org", fOrgs: "org[]", fOrgID: "org_id", fOrgIDs: "org_id[]",
	fBusiness: "business", fBusinessID: "business_id", fRepo: "repo", fRepos: "repo[]", fTeam: "team",
	fTokenID: "token_id", fHashedToken: "hashed_token", fAccessType: "programmatic_access_type",
	fExternalID: "external_identity_nameid", fRequestID: "request_id", fRepository: "repository",
	fMethod: "request_method", fPath: "url_path", fStatus: "status_code",
	fPermission: "permission", fOldPermission: "old_permission",
})

func mapEvent(f *jsonscan.Fields, d *draft.Draft) error {
	action := f.Str(fAction)
	if action == "" {
		return ErrNotEvent
	}
	// An org is a name or a list of names, its id a number or a list of numbers.
	orgs := append(f.Strs(fOrg), f.Strs(fOrgs)...)
	org := draft.First(orgs...)
	orgID := draft.First(append(f.Strs(fOrgID), f.Strs(fOrgIDs)...)...)
	business := draft.First(f.Str(fBusinessID), f.Str(fBusiness))
	d.Rec.Resource = audit.Resource{Product: format.Product, AccountID: draft.First(orgID, org), OrgID: business, Stream: "audit"}
	d.Identify("github", draft.First(business, orgID, org), f.Str(fID))
	setTime(f, d)
	d.Put(audit.AttrOperation, action)
	service, _ := split(action)
	d.Put(audit.AttrService, service)
	d.Put(audit.AttrRequestID, f.Str(fRequestID))
	d.Put(audit.AttrHTTPMethod, f.Str(fMethod))
	d.Put(audit.AttrURLPath, draft.WithoutQuery(f.Str(fPath)))
	class := classify(action, f, d)
	outcome(action, f, d)
	actor(f, d)
	d.Source(f.Str(fActorIP))
	d.Put(audit.AttrGeoCountry, f.Str(fCountry))
	d.Put(audit.AttrUserAgent, f.Str(fUserAgent))
	targets(f, class, orgs, d)
	d.PutList(audit.AttrPrivileges, draft.First(f.Str(fPermission), f.Str(fOldPermission)))
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
	d.SetTime("@timestamp", time.UnixMilli(ms).UTC())
}

func actor(f *jsonscan.Fields, d *draft.Draft) {
	name, id := f.Str(fActor), number(f, fActorID)
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
	d.Put(audit.AttrActorCredentialID, draft.First(number(f, fTokenID), f.Str(fHashedToken)))
}

// number is an id; zero is none.
func number(f *jsonscan.Fields, field int) string {
	if id := f.Str(field); id != "0" {
		return id
	}
	return ""
}

// targets are the team and the user, of which first comes what the class is about, then
// what else is concerned. A session or an account without a user is that of the actor.
func targets(f *jsonscan.Fields, class audit.Class, orgs []string, d *draft.Draft) {
	name, id := f.Str(fUser), number(f, fUserID)
	isOwn := class == audit.ClassAuthentication || class == audit.ClassAccountChange
	switch actor := f.Str(fActor); {
	case isOwn && (name == "" || name == actor):
		name, id = actor, number(f, fActorID)
	case name == actor:
		name, id = "", ""
	}
	user := draft.Target{ID: draft.First(id, name), Type: "user", Name: name}
	team := draft.Target{ID: f.Str(fTeam), Type: "team", Name: f.Str(fTeam)}
	if class == audit.ClassGroup {
		d.AddTarget(team)
	}
	d.AddTarget(user)
	if class != audit.ClassGroup {
		d.AddTarget(team)
	}
	repos := append(f.Strs(fRepo), f.Strs(fRepos)...)
	if len(repos) == 0 {
		repos = f.Strs(fRepository)
	}
	for _, repo := range repos {
		d.AddTarget(draft.Target{ID: repo, Type: "repository", Name: repo})
	}
	for _, org := range orgs {
		d.AddTarget(draft.Target{ID: org, Type: "organization", Name: org})
	}
	d.AddTarget(draft.Target{ID: f.Str(fBusiness), Type: "enterprise", Name: f.Str(fBusiness)})
	d.PutTargets()
}
