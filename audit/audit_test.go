package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"testing"
)

// TestRecordID pins the construction: ids are in sealed logs for ever.
func TestRecordID(t *testing.T) {
	raw := []byte(`{"eventID":"a"}`)
	rawSum := sha256.Sum256(raw)
	// "v1", then each part behind its length in four bytes, then the raw hash.
	material := "v1" + "\x00\x00\x00\x03aws" + "\x00\x00\x00\x05acc/r" + "\x00\x00\x00\x01a" + string(rawSum[:])
	sum := sha256.Sum256([]byte(material))
	want := hex.EncodeToString(sum[:])[:32]
	if got := RecordID("aws", "acc/r", "a", raw); got != want {
		t.Errorf("RecordID = %s, want %s", got, want)
	}
	if got := RecordIDOfHash("aws", "acc/r", "a", rawSum); got != want {
		t.Errorf("RecordIDOfHash = %s, want %s", got, want)
	}
	if pinned := "4fa94c287053d5e7a6d9dc8f62beb140"; want != pinned {
		t.Errorf("the construction changed: %s, want %s", want, pinned)
	}
}

// TestRecordIDBinds: every part counts, and parts cannot run into each other.
func TestRecordIDBinds(t *testing.T) {
	seen := map[string]string{}
	for _, p := range [][4]string{
		{"aws", "a", "b", "raw"}, {"aws", "a", "b", "raw2"}, {"aws", "a", "c", "raw"}, {"aws", "x", "b", "raw"},
		{"gcp", "a", "b", "raw"}, {"aws", "ab", "", "raw"}, {"aws", "", "ab", "raw"}, {"awsa", "", "b", "raw"},
	} {
		id := RecordID(p[0], p[1], p[2], []byte(p[3]))
		if other, ok := seen[id]; ok {
			t.Errorf("%q and %s have the same id", p, other)
		}
		seen[id] = fmt.Sprintf("%q", p)
	}
}

func TestRecordIDLongParts(t *testing.T) {
	long := string(make([]byte, 10_000))
	if RecordID("aws", long, "a", nil) == RecordID("aws", long+"\x00", "a", nil) {
		t.Error("long scopes are cut")
	}
}

func TestQuarantine(t *testing.T) {
	body := []byte("\xffnot json")
	r := Quarantine(body, "aws", errors.New("why"))
	if &r.Body[0] != &body[0] || len(r.Body) != len(body) {
		t.Error("the body is not the one given")
	}
	if !r.Quarantined || !IsEventName(r.EventName) || !r.Time.IsZero() || r.Resource != (Resource{Provider: "aws"}) {
		t.Errorf("record %+v", r)
	}
	sum := sha256.Sum256(body)
	want := []Attribute{
		StringAttr(AttrRecordID, RecordID("aws", "", "", body)), BoolAttr(AttrQuarantined, true), StringAttr(AttrParseError, "why"),
		StringAttr(AttrOutcome, OutcomeUnknown), StringAttr(AttrRawHash, "sha256:"+hex.EncodeToString(sum[:])), IntAttr(AttrRawSize, int64(len(body))),
	}
	for _, w := range want {
		got, ok := r.Get(w.Key)
		if !ok || got.Kind != w.Value.Kind || got.Str != w.Value.Str || got.Int != w.Value.Int || got.Bool != w.Value.Bool {
			t.Errorf("%s = %+v, want %+v", w.Key, got, w.Value)
		}
	}
	if len(r.Attributes) != len(want) {
		t.Errorf("%d attributes, want %d", len(r.Attributes), len(want))
	}
	if _, ok := r.Get("absent"); ok {
		t.Error("Get finds what is not there")
	}
}

func TestEventNames(t *testing.T) {
	for _, name := range []string{EventAPIActivity, EventAuthentication, EventAuthorizeSession, EventAccountChange,
		EventUserAccess, EventGroupManagement, EventEntityManagement, EventFinding, EventSystem, EventHost} {
		if !IsEventName(name) {
			t.Errorf("%s is not in the set", name)
		}
	}
	for _, name := range []string{"", "audit", "audit.api_activity ", "audit.GetObject", "AUDIT.API_ACTIVITY"} {
		if IsEventName(name) {
			t.Errorf("%q is in the set", name)
		}
	}
}

func TestConstructors(t *testing.T) {
	list := StringsAttr("k", []string{"a"})
	maps := MapsAttr("k", [][]Attribute{{StringAttr("id", "x")}})
	if list.Value.Kind != Strings || list.Value.Strs[0] != "a" || maps.Value.Kind != Maps || maps.Value.Maps[0][0].Value.Str != "x" {
		t.Errorf("%+v %+v", list, maps)
	}
}
