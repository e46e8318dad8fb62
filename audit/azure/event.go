package azure

import (
	"strings"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/draft"
	"github.com/otelcol-custody/custody/audit/internal/jsonscan"
)

func mapEvent(tenant string, f *jsonscan.Fields, d *draft.Draft) error {
	operation := draft.First(f.Str(fOperation), f.Str(fOperationValue))
	if operation == "" {
		return ErrNotEvent
	}
	e := &event{Fields: f, operation: strings.ToLower(operation)}
	e.open(d)
	category := e.either(fCategory, fCategoryValue)
	target := parseID(draft.First(e.Str(fResourceID), e.property(pEntity), e.either(fScope, fScopeREST)))
	target.region = regionName(e.property(pLocation))
	e.identify(d, tenant, category, target)
	d.TimeUTC("time", e.either(fTime, fTimestamp))
	d.Put(audit.AttrCorrelationID, e.Str(fCorrelation))
	d.Put(audit.AttrCategory, strings.ToLower(category))
	d.Put(audit.AttrOperation, operation)
	d.Put(audit.AttrService, e.service(target))
	d.Put(audit.AttrAPIVersion, e.Str(fVersion))
	d.Put(audit.AttrRequestID, draft.First(e.property(pRequestID), e.Str(fOperationID), e.Str(fClientRequest)))
	d.Put(audit.AttrAzureRequestID, e.property(pRequestID))
	d.Put(audit.AttrHTTPMethod, e.Str(fMethod))
	d.Put(audit.AttrURLPath, urlPath(e.Str(fURI)))
	d.Put(audit.AttrUserAgent, e.property(pUserAgent))
	created := e.outcome(category, d)
	e.classify(category, created, d)
	e.actor(category, d)
	d.Source(e.either(fCallerIP, fClientIP))
	e.targets(target, d)
	return nil
}

// open reads properties that came as JSON in a string. Some services write other text
// there; then nothing of it is understood, and nothing is amiss.
func (e *event) open(d *draft.Draft) {
	text := e.Str(fProperties)
	if text == "" {
		return
	}
	inner, err := jsonscan.Of(text, innerTable)
	if err != nil {
		d.Warn("properties: a string that is not JSON")
		return
	}
	e.inner = inner
}

// identify says whose event it is. The tenant in a claim is the caller's: mostly that of
// the log, but one tenant may manage another. The location at the top is where an event
// of the Activity Log was processed; only in a resource's own logs is it the resource's.
func (e *event) identify(d *draft.Draft, tenant, category string, target resource) {
	region, stream := target.region, "ActivityLog"
	if !activityLog[category] {
		region, stream = draft.First(region, regionName(e.Str(fLocation))), category
	}
	tenant = strings.ToLower(draft.First(e.Str(fTenant), e.property(pTenantID), tenant, e.claim(cTenant, cTenantShort)))
	d.Rec.Resource = audit.Resource{Provider: provider, AccountID: target.subscription, Region: region, OrgID: tenant, Stream: stream}
	d.Identify(provider, draft.First(target.subscription, tenant), e.Str(fEventID))
}

// regionName writes "West Europe" as it is written elsewhere.
func regionName(text string) string { return strings.ToLower(strings.ReplaceAll(text, " ", "")) }

// activityLog are the categories of the Activity Log. "Write", "Action" and "Delete"
// are those of its exports before diagnostic settings.
var activityLog = map[string]bool{
	"Administrative": true, "Security": true, "ServiceHealth": true, "Alert": true, "Recommendation": true,
	"Policy": true, "Autoscale": true, "ResourceHealth": true, "Write": true, "Action": true, "Delete": true,
}

// service is the resource provider.
func (e *event) service(target resource) string {
	if namespace, _, ok := strings.Cut(e.operation, "/"); ok {
		return namespace
	}
	namespace, _, _ := strings.Cut(target.kind, "/")
	return namespace
}

// urlPath cuts the path out of an address.
func urlPath(address string) string {
	_, rest, ok := strings.Cut(address, "://")
	if !ok {
		return ""
	}
	slash := strings.IndexByte(rest, '/')
	if slash < 0 {
		return ""
	}
	path, _, _ := strings.Cut(rest[slash:], "?")
	return path
}
