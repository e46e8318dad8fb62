package awscloudtrailreceiver

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/cloudtrail"
)

// An exclusion names principals whose events the operator does not want in the log: the
// collector's own, whose reading makes events that are read in turn. nil covers nothing.
type exclusion struct {
	arns map[string]bool
}

func newExclusion(arns []string) *exclusion {
	if len(arns) == 0 {
		return nil
	}
	e := &exclusion{arns: map[string]bool{}}
	for _, arn := range arns {
		e.arns[arn] = true
	}
	return e
}

// covers reports whether rec is the act of an excluded principal: of the actor itself,
// or of a session of the role. Who could not be understood is never excluded.
func (e *exclusion) covers(rec *audit.Record) bool {
	if e == nil || rec.Quarantined {
		return false
	}
	return e.arns[text(rec, audit.AttrActorID)] || e.arns[text(rec, audit.AttrSessionIssuer)]
}

func text(rec *audit.Record, key string) string {
	v, _ := rec.Get(key)
	return v.Str
}

// checkPrincipals reports what is no ARN.
func checkPrincipals(arns []string) error {
	for _, arn := range arns {
		if !strings.HasPrefix(arn, "arn:") || strings.Contains(arn, "*") {
			return errors.New("exclude_principals: want the ARN of a user or role, without wildcards, for example arn:aws:iam::111122223333:role/custody-read; got " + arn)
		}
	}
	return nil
}

// leftOut counts the events of one file that are excluded.
type leftOut struct {
	count int
	by    map[string]int // by principal
}

func (l *leftOut) add(rec *audit.Record) {
	l.count++
	if l.by == nil {
		l.by = map[string]int{}
	}
	who := text(rec, audit.AttrSessionIssuer)
	if who == "" {
		who = text(rec, audit.AttrActorID)
	}
	l.by[who]++
}

// record says what was left out of a file: an exclusion is not a silence.
func (l *leftOut) record(file string) *audit.Record {
	type principal struct {
		ARN    string `json:"arn"`
		Events int    `json:"events"`
	}
	var list []principal
	for _, arn := range slices.Sorted(maps.Keys(l.by)) {
		list = append(list, principal{arn, l.by[arn]})
	}
	body, err := json.Marshal(map[string]any{"excluded": map[string]any{"file": file, "events": l.count, "principals": list}})
	if err != nil {
		panic("aws_cloudtrail: record cannot be encoded: " + err.Error())
	}
	rec := audit.SourceRecord(audit.EventSourceExcluded, "aws", body)
	rec.Resource.Product = cloudtrail.Product
	rec.Attributes = append(rec.Attributes, audit.IntAttr(attrExcluded, int64(l.count)))
	return rec
}

const attrExcluded = "audit.excluded.events"
