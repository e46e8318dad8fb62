package ocsf

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/otelcol-custody/custody/audit"
)

// unknown stands for what is required and not known.
const unknown = "Unknown"

// An event is a record that is being rendered.
type event struct {
	writer
	rec     *Record
	schema  *schema
	class   *class
	used    []bool   // of the record's attributes: the event holds it
	targets []target // see loadTargets
	lost    bool     // something of the targets has no place, although they have one
}

// lookup finds an attribute of a kind; nil if there is none.
func (e *event) lookup(key string, kind audit.Kind) (*audit.Value, int) {
	for i := range e.rec.Attributes {
		if a := &e.rec.Attributes[i]; a.Key == key && a.Value.Kind == kind {
			return &a.Value, i
		}
	}
	return nil, -1
}

// peek is an attribute's text, for one that another place may hold as well.
func (e *event) peek(key string) string {
	if v, _ := e.lookup(key, audit.String); v != nil {
		return v.Str
	}
	return ""
}

// take is an attribute's text, which the event holds now.
func (e *event) take(key string) string {
	v, i := e.lookup(key, audit.String)
	if v == nil {
		return ""
	}
	e.used[i] = e.used[i] || v.Str != "" // An empty text is left to unmapped.
	return v.Str
}

func (e *event) takeInt(key string) (int64, bool) {
	v, i := e.lookup(key, audit.Int)
	if v == nil {
		return 0, false
	}
	e.used[i] = true
	return v.Int, true
}

func (e *event) takeList(key string) []string {
	v, i := e.lookup(key, audit.Strings)
	if v == nil {
		return nil
	}
	e.used[i] = true
	return v.Strs
}

// drop marks an attribute that the event holds in other words.
func (e *event) drop(key string) {
	for i := range e.rec.Attributes {
		if e.rec.Attributes[i].Key == key {
			e.used[i] = true
		}
	}
}

// has says whether there is an attribute with one of these keys.
func (e *event) has(keys ...string) bool {
	return slices.ContainsFunc(e.rec.Attributes, func(a audit.Attribute) bool { return slices.Contains(keys, a.Key) })
}

// putAs writes an attribute under the name that the event has for it.
func (e *event) putAs(name, key string) bool { return e.text(name, e.take(key)) }

func (e *event) render() {
	e.b = append(e.b, '{')
	e.classify()
	e.putTime()
	e.putStatus()
	e.loadTargets()
	e.class.fill(e)
	e.putCloud()
	e.putMetadata()
	e.putRaw()
	e.settleTargets()
	e.putUnmapped()
	e.b = append(e.b, '}')
}

// classify writes class, activity and type. An activity that the class does not have is
// another one.
func (e *event) classify() {
	uid, _ := e.lookup(audit.AttrOCSFClass, audit.Int)
	if uid != nil && e.schema.classes[uid.Int] != nil {
		e.class = e.schema.classes[uid.Int]
	}
	c := e.class
	id, caption := e.activity()
	e.int("activity_id", id)
	name := caption
	if id == audit.ActivityOther {
		name = cmp.Or(e.peek(audit.AttrOperation), e.rec.Statement, caption)
	}
	e.text("activity_name", name)
	e.int("category_uid", c.categoryUID)
	e.text("category_name", c.category)
	e.int("class_uid", c.uid)
	e.text("class_name", c.name)
	e.int("type_uid", c.uid*100+id)
	e.text("type_name", c.name+": "+caption)
	severity, text := e.severity()
	e.int("severity_id", severity)
	e.text("severity", text)
}

func (e *event) activity() (int64, string) {
	if e.class == e.schema.base {
		if e.rec.Statement != "" {
			return audit.ActivityOther, "Other"
		}
		return audit.ActivityUnknown, unknown
	}
	id, _ := e.lookup(audit.AttrOCSFActivity, audit.Int)
	if id == nil || id.Int == audit.ActivityUnknown {
		e.dropClass()
		return audit.ActivityUnknown, unknown
	}
	if caption, ok := e.class.activities[id.Int]; ok {
		e.dropClass()
		e.drop(audit.AttrAction)
		return id.Int, caption
	}
	if id.Int == audit.ActivityOther {
		e.dropClass()
	}
	return audit.ActivityOther, "Other"
}

// dropClass: the event says it itself.
func (e *event) dropClass() {
	for _, key := range []string{audit.AttrOCSFClass, audit.AttrOCSFActivity, audit.AttrOCSFType, audit.AttrOCSFVersion} {
		e.drop(key)
	}
}

var severities = map[string]int64{
	"informational": 1, "info": 1, "low": 2, "medium": 3, "moderate": 3, "high": 4, "critical": 5,
}

var severityNames = [...]string{unknown, "Informational", "Low", "Medium", "High", "Critical"}

// severity is unknown unless a finding states it: no other audit event has one.
func (e *event) severity() (int64, string) {
	native := ""
	if e.class.uid == audit.ClassFinding.UID {
		native = e.take(audit.AttrFindingSeverity)
	}
	if id, ok := severities[strings.ToLower(native)]; ok {
		return id, severityNames[id]
	}
	if native != "" && !strings.EqualFold(native, unknown) {
		return audit.ActivityOther, native
	}
	return 0, unknown
}

// putTime writes the event's own time, or, when that is missing, when it was taken up.
func (e *event) putTime() {
	at := e.rec.Time
	if at.IsZero() {
		at = e.rec.Observed
	}
	e.int("time", millis(at))
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// putStatus writes the outcome. The status of a finding is that of the work on it.
func (e *event) putStatus() {
	if e.class.uid != audit.ClassFinding.UID {
		switch e.peek(audit.AttrOutcome) {
		case audit.OutcomeSuccess:
			e.putOutcome(1, "Success")
		case audit.OutcomeFailure:
			e.putOutcome(2, "Failure")
		case audit.OutcomeUnknown:
			e.putOutcome(0, unknown)
		}
	}
	e.putAs("status_code", audit.AttrErrorType)
	e.putAs("status_detail", audit.AttrOutcomeReason)
}

func (e *event) putOutcome(id int64, caption string) {
	e.int("status_id", id)
	e.text("status", caption)
	e.drop(audit.AttrOutcome)
}

// cloudy says whether the event has the profile of the cloud.
func (e *event) cloudy() bool { return e.rec.Resource.Provider != "" }

func (e *event) putCloud() {
	if !e.cloudy() {
		return
	}
	res := &e.rec.Resource
	p := providers[res.Provider]
	e.object("cloud", func() {
		e.text("provider", cmp.Or(p.cloud, res.Provider))
		e.text("region", res.Region)
		if res.AccountID != "" {
			e.object("account", func() {
				e.text("uid", res.AccountID)
				if e.text("type", p.accountType) {
					e.int("type_id", p.accountTypeID)
				}
			})
		}
		e.object("org", func() { e.text("uid", res.OrgID) })
	})
}
