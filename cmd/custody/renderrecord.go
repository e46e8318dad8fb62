package main

import (
	"time"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/ocsf"
	"github.com/otelcol-custody/custody/ledger/record"
)

// asEvent takes a sealed record apart into what an event is made of. Whatever that has
// no place for comes as the record's line would say it.
func asEvent(r *record.Record) (*ocsf.Record, error) {
	rest := *r
	rest.Time, rest.ObservedTime, rest.EventName = 0, 0, ""
	e := &ocsf.Record{Observed: timeOf(r.ObservedTime)}
	e.EventName, e.Time = r.EventName, timeOf(r.Time)
	if len(r.Custody) > 0 {
		e.Statement = r.Custody[0].Key
	}
	if k := r.Body.Kind; (k == record.String || k == record.Bytes) && r.Body.Str != "" {
		e.Body, rest.Body = []byte(r.Body.Str), record.Value{}
	}
	e.Attributes, rest.Attributes = asAttributes(r.Attributes)
	rest.Resource.Attributes = takeResource(e, r.Resource.Attributes)
	line, err := record.AppendLine(nil, &rest)
	if err != nil {
		return nil, err // Less than a sealed line always has one.
	}
	if string(line) != "{}" {
		e.Rest = line
	}
	return e, nil
}

// timeOf is a record's time, zero when it has none. It reaches further than those of
// package time that count nanoseconds.
func timeOf(ns uint64) time.Time {
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(int64(ns/uint64(time.Second)), int64(ns%uint64(time.Second))).UTC()
}

// asAttributes turns those attributes that an audit record can have into its own; of a
// repeated key that is the first one. The others are left.
func asAttributes(kvs []record.KeyValue) (attributes []audit.Attribute, left []record.KeyValue) {
	seen := map[string]bool{}
	for i := range kvs {
		kv := &kvs[i]
		v, ok := asValue(&kv.Value)
		if !ok || seen[kv.Key] {
			left = append(left, *kv)
			continue
		}
		seen[kv.Key] = true
		attributes = append(attributes, audit.Attribute{Key: kv.Key, Value: v})
	}
	return attributes, left
}

func asValue(v *record.Value) (audit.Value, bool) {
	switch v.Kind {
	case record.String:
		return audit.Value{Kind: audit.String, Str: v.Str}, true
	case record.Bool:
		return audit.Value{Kind: audit.Bool, Bool: v.Num == 1}, true
	case record.Int:
		return audit.Value{Kind: audit.Int, Int: int64(v.Num)}, true
	case record.List:
		if len(v.List) > 0 && v.List[0].Kind == record.Map {
			return asMaps(v.List)
		}
		return asTexts(v.List)
	}
	return audit.Value{}, false
}

func asTexts(list []record.Value) (audit.Value, bool) {
	v := audit.Value{Kind: audit.Strings}
	for i := range list {
		if list[i].Kind != record.String {
			return v, false
		}
		v.Strs = append(v.Strs, list[i].Str)
	}
	return v, true
}

func asMaps(list []record.Value) (audit.Value, bool) {
	v := audit.Value{Kind: audit.Maps}
	for i := range list {
		m, left := asAttributes(list[i].Map)
		if list[i].Kind != record.Map || len(left) > 0 {
			return v, false
		}
		v.Maps = append(v.Maps, m)
	}
	return v, true
}

// takeResource takes the attributes of a resource that an audit record has fields for,
// and returns the others.
func takeResource(e *ocsf.Record, kvs []record.KeyValue) (left []record.KeyValue) {
	fields := map[string]*string{
		"cloud.provider": &e.Resource.Provider, "cloud.account.id": &e.Resource.AccountID, "cloud.region": &e.Resource.Region,
		"audit.org.id": &e.Resource.OrgID, "audit.product": &e.Resource.Product, "audit.ingest.stream": &e.Resource.Stream,
		"audit.ingest.receiver": &e.Receiver,
	}
	for _, kv := range kvs {
		if to := fields[kv.Key]; to != nil && *to == "" && kv.Value.Kind == record.String && kv.Value.Str != "" {
			*to = kv.Value.Str
		} else {
			left = append(left, kv)
		}
	}
	return left
}
