package m365

import (
	"strings"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/draft"
	"github.com/otelcol-custody/custody/audit/internal/jsonscan"
)

func mapRecord(f *jsonscan.Fields, d *draft.Draft) error {
	r := &record{f}
	operation := r.Str(fOperation)
	if operation == "" {
		return ErrNotEvent
	}
	tenant := strings.ToLower(r.str(fOrganization))
	d.Rec.Resource = audit.Resource{Product: format.Product, OrgID: tenant, Stream: r.Str(fWorkload)}
	d.Identify("m365", tenant, r.Str(fID))
	d.TimeUTC("CreationTime", utc(r.Str(fTime)))
	d.Put(audit.AttrOperation, operation)
	d.Put(audit.AttrService, r.Str(fWorkload))
	d.Put(audit.AttrAPIVersion, r.Str(fVersion))
	d.Put(audit.AttrCategory, recordType(r.Str(fRecordType)))
	d.Put(audit.AttrRequestID, r.str(fRequestID))
	d.Put(audit.AttrCorrelationID, draft.First(r.str(fInterSystem), r.str(fCorrelation), r.str(fFileCorrelation)))
	class := r.classify(operation, d)
	r.outcome(operation, d)
	r.actor(d)
	d.Source(draft.First(r.str(fClientIP), r.str(fActorIP), r.str(fMailboxIP)))
	d.Put(audit.AttrUserAgent, draft.First(r.str(fUserAgent), r.detail("UserAgent"), r.additional(), r.str(fClientInfo)))
	r.targets(class, d)
	r.privileges(class, d)
	d.PutMaps(audit.AttrChanges, r.changes(writes(d)))
	return nil
}

// writes says whether something is made, changed or deleted.
func writes(d *draft.Draft) bool {
	action, _ := d.Rec.Get(audit.AttrAction)
	return action.Str == audit.ActionCreate || action.Str == audit.ActionUpdate || action.Str == audit.ActionDelete
}

// utc adds the zone, which Microsoft leaves out and states to be UTC.
func utc(text string) string {
	if len(text) < len("2006-01-02T15:04:05") || text[10] != 'T' || strings.ContainsAny(text[19:], "Z+-") {
		return text
	}
	return text + "Z"
}

const iAgent = 0

var additionalTable = jsonscan.NewTable([]string{iAgent: "User-Agent"})

// additional is the user agent in details that are JSON in a string.
func (r *record) additional() string {
	text := r.detail("additionalDetails")
	if text == "" {
		return ""
	}
	f, err := jsonscan.Of(text, additionalTable)
	if err != nil {
		return ""
	}
	return known(f.Str(iAgent))
}

// userTypes are those that the log writes as numbers.
var userTypes = map[string]string{
	"0": "Regular", "1": "Reserved", "2": "Admin", "3": "DcAdmin", "4": "System", "5": "Application", "6": "ServicePrincipal",
	"7": "CustomPolicy", "8": "SystemPolicy", "9": "PartnerTechnician", "10": "Guest",
}

// actor maps who did it. The key is what lasts; it is unknown where nobody could be
// authenticated.
func (r *record) actor(d *draft.Draft) {
	key, name := r.str(fUserKey), r.str(fUserID)
	kind := draft.First(userTypes[r.Str(fUserType)], r.Str(fUserType))
	if id := draft.First(key, name); id != "" {
		d.Put(audit.AttrActorID, id)
		d.Put(audit.AttrActorType, actorType(kind, name))
	}
	d.Put(audit.AttrActorTypeOriginal, kind)
	d.Put(audit.AttrUserID, key)
	d.Put(audit.AttrUserName, name)
	d.Put(audit.AttrActorCredentialID, r.str(fToken))
	d.Put(audit.AttrSessionCreated, utc(r.str(fIssued)))
	d.Put(audit.AttrSessionID, draft.First(r.str(fSession), r.pair(fDeviceName, fDeviceValue, "SessionId"), r.str(fMailboxSession)))
	d.Put(audit.AttrActorAppID, draft.First(r.str(fApplication), r.str(fClientApp), r.str(fAppID)))
	d.Put(audit.AttrActorAppName, r.str(fAppName))
}

// actorType tells people from programs. Apps are said to be of the type System, too.
func actorType(kind, name string) string {
	switch {
	case strings.HasPrefix(name, "ServicePrincipal_"), kind == "Application", kind == "ServicePrincipal", strings.HasPrefix(name, "app@"):
		return audit.ActorService
	case kind == "System", kind == "CustomPolicy", kind == "SystemPolicy":
		return audit.ActorSystem
	}
	return audit.ActorUser
}
