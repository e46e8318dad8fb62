package cadf

import (
	"strconv"
	"strings"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/draft"
)

func (e *event) record(d *draft.Draft) error {
	action := e.Str(e.base + fAction)
	if action == "" {
		return ErrNotEvent
	}
	project := draft.First(e.str(fProject), e.str(fTargetProject), e.str(fDomain))
	service := e.service()
	d.Rec.Resource = audit.Resource{Provider: provider, Product: format.Product, AccountID: project, Stream: service}
	id, phase := draft.First(e.str(fID), e.Str(fMessageID)), e.phase()
	if phase != "" {
		id += "/" + phase
	}
	d.Identify(provider, project, id)
	d.Put(audit.AttrPhase, phase)
	d.Put(audit.AttrPhaseTime, e.str(fReported))
	e.setTime(d)
	d.Put(audit.AttrOperation, action)
	d.Put(audit.AttrService, service)
	d.Put(audit.AttrCategory, e.str(fKind))
	d.Put(audit.AttrRequestID, e.str(fRequestID))
	d.Put(audit.AttrCorrelationID, draft.First(e.str(fGlobalRequestID), e.tag("correlation_id")))
	path, _, _ := strings.Cut(e.str(fRequestPath), "?")
	d.Put(audit.AttrURLPath, path)
	classify(action, e.str(fTargetType), e.str(fKind), d)
	e.outcome(d)
	e.actor(d)
	d.Source(e.str(fAddress))
	d.Put(audit.AttrUserAgent, e.str(fAgent))
	e.targets(action, path, d)
	return nil
}

// phase tells the two events about one request from each other: the notification says
// which of them it is, an event without one only whether the answer is pending.
func (e *event) phase() string {
	if kind := e.Str(fEventType); strings.HasPrefix(kind, "audit.http.") {
		return kind
	}
	if outcome := e.str(fOutcome); outcome == "pending" {
		return outcome
	}
	return ""
}

// setTime takes the event's time; where there is none, that of the notification, which
// was sent a moment later and has no zone, but is UTC.
func (e *event) setTime(d *draft.Draft) {
	text, sent := e.str(fTime), e.Str(fSent)
	if text == "" && sent != "" {
		d.Warn("eventTime: missing, the time is that of the notification")
		d.TimeUTC("timestamp", withColon(sent))
		return
	}
	d.TimeUTC("eventTime", withColon(text))
}

// withColon writes a zone like +0000, of which CADF knows both forms, as RFC 3339 does.
func withColon(text string) string {
	n := len(text)
	if n > len("2006-01-02") && (text[n-5] == '+' || text[n-5] == '-') {
		return text[:n-2] + ":" + text[n-2:]
	}
	return text
}

// service is which part of OpenStack it is about: Keystone's notifications begin with
// its name, other events name it in the type of their target.
func (e *event) service() string {
	if name, _, ok := strings.Cut(e.Str(fEventType), "."); ok && name != "audit" {
		return name
	}
	for _, uri := range [...]string{e.str(fTargetType), e.str(fObserverType)} {
		if rest, ok := strings.CutPrefix(uri, "service/"); ok {
			name, _, _ := strings.Cut(rest, "/")
			return name
		}
	}
	return draft.First(e.str(fObserverName), e.str(fTargetName))
}

// tag is the value of a tag, which is written "name?value=value".
func (e *event) tag(name string) string {
	for _, tag := range e.Strs(e.base + fTags) {
		if value, ok := strings.CutPrefix(tag, name+"?value="); ok {
			return value
		}
	}
	return ""
}

// outcome maps what came of it. Of a request whose answer is pending, nobody knows.
func (e *event) outcome(d *draft.Draft) {
	outcome := audit.OutcomeUnknown
	switch e.str(fOutcome) {
	case "success":
		outcome = audit.OutcomeSuccess
	case "failure":
		outcome = audit.OutcomeFailure
	}
	d.Put(audit.AttrOutcome, outcome)
	code, kind := e.str(fReasonCode), e.str(fReasonType)
	if status, err := strconv.ParseInt(code, 10, 16); err == nil && status >= 100 && status < 600 {
		d.PutInt(audit.AttrHTTPStatus, status)
	}
	if outcome == audit.OutcomeFailure {
		d.Put(audit.AttrErrorType, code)
	}
	if kind != "HTTP" { // the kind of the code, and no reason
		d.Put(audit.AttrOutcomeReason, kind)
	}
}

// who is who began it. Keystone makes ids of its own for what is no UUID, so the id of
// the user counts where it is there.
func (e *event) who() (id, name string) {
	name = draft.First(e.str(fInitiatorUserName), e.str(fInitiatorName))
	return draft.First(e.str(fInitiatorUser), e.str(fInitiator), e.str(fInitiatorRef), name), name
}

// actor maps who began it.
func (e *event) actor(d *draft.Draft) {
	id, name := e.who()
	uri := e.str(fInitiatorType)
	kind := actorType(uri)
	if id != "" {
		d.Put(audit.AttrActorID, id)
		d.Put(audit.AttrActorType, kind)
	}
	d.Put(audit.AttrActorTypeOriginal, uri)
	if kind == audit.ActorUser {
		d.Put(audit.AttrUserID, draft.First(e.str(fInitiatorUser), e.str(fInitiator)))
	}
	d.Put(audit.AttrUserName, name)
	d.Put(audit.AttrActorAccountID, draft.First(e.str(fProject), e.str(fDomain)))
	d.Put(audit.AttrActorIDP, e.str(fIDP))
}

// actorType tells accounts from services by the type's place in CADF's taxonomy.
func actorType(uri string) string {
	switch {
	case strings.Contains(uri, "account"):
		return audit.ActorUser
	case strings.HasPrefix(uri, "service"):
		return audit.ActorService
	case strings.HasPrefix(uri, "system"):
		return audit.ActorSystem
	}
	return audit.ActorUser
}
