package ocsf_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/audittest"
	"github.com/otelcol-custody/custody/audit/ocsf"
)

func newRenderer(t testing.TB) *ocsf.Renderer {
	t.Helper()
	r, err := ocsf.NewRenderer(audit.OCSFVersion)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// render renders a record, and demands a valid event.
func render(t testing.TB, r *ocsf.Renderer, rec *ocsf.Record) []byte {
	t.Helper()
	line := r.Append(nil, rec)
	for _, fault := range validate(line) {
		t.Errorf("%s\n%s", fault, line)
	}
	return line
}

// member is what stands at a path such as "actor.user.uid" or "resources.0.uid".
func member(t testing.TB, line []byte, path string) string {
	t.Helper()
	at, err := decode(line)
	if err != nil {
		t.Fatal(err)
	}
	var value any = at
	for _, step := range strings.Split(path, "/") {
		switch v := value.(type) {
		case map[string]any:
			value = v[step]
		case []any:
			i := slices.Index([]string{"0", "1", "2", "3"}, step)
			if i < 0 || i >= len(v) {
				return ""
			}
			value = v[i]
		default:
			return ""
		}
	}
	if value == nil {
		return ""
	}
	return fmt.Sprint(value)
}

func check(t testing.TB, line []byte, want ...string) {
	t.Helper()
	for i := 0; i < len(want); i += 2 {
		if got := member(t, line, want[i]); got != want[i+1] {
			t.Errorf("%s = %q, want %q\n%s", want[i], got, want[i+1], line)
		}
	}
}

// One full event of each class, readable side by side with its record in full_test.go.
func TestClasses(t *testing.T) {
	r := newRenderer(t)
	var got bytes.Buffer
	for _, rec := range fullRecords() {
		line := render(t, r, &rec)
		if again := newRenderer(t).Append(nil, &rec); !bytes.Equal(line, again) {
			t.Errorf("the same record renders differently\n%s\n%s", line, again)
		}
		if err := json.Indent(&got, line, "", " "); err != nil {
			t.Fatal(err)
		}
		got.WriteByte('\n')
	}
	const golden = "testdata/classes.golden"
	if flag.Lookup("update").Value.String() == "true" { // Package audittest defines it.
		if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("%s differs; run with -args -update and read the difference\n%s", golden, got.Bytes())
	}
}

// However little a record says, its event is valid: nothing but the class, the class
// with any one attribute more, and everything but any one.
func TestSparse(t *testing.T) {
	r := newRenderer(t)
	for _, full := range fullRecords() {
		var class, others []audit.Attribute
		for _, a := range full.Attributes {
			if strings.HasPrefix(a.Key, "ocsf.") {
				class = append(class, a)
			} else {
				others = append(others, a)
			}
		}
		rec := ocsf.Record{Record: audit.Record{Attributes: class}}
		render(t, r, &rec)
		for i := range others {
			for _, res := range []audit.Resource{{}, full.Resource} {
				rec.Resource = res
				rec.Attributes = append(slices.Clip(class), others[i])
				render(t, r, &rec)
				rec.Attributes = append(slices.Clip(class), slices.Delete(slices.Clone(others), i, i+1)...)
				render(t, r, &rec)
			}
		}
	}
}

// derived are attributes that an event says in other words.
var derived = map[string]bool{
	audit.AttrAction: true, audit.AttrOutcome: true, audit.AttrActorType: true, audit.AttrSourceType: true,
	audit.AttrRawHash: true, audit.AttrOCSFVersion: true, audit.AttrSessionCreated: true, audit.AttrFindingSeverity: true,
}

// leaves collects all texts and numbers of an event, the body aside.
func leaves(value any, into map[string]bool) {
	switch v := value.(type) {
	case map[string]any:
		for name, one := range v {
			if name != "raw_data" {
				leaves(one, into)
			}
		}
	case []any:
		for _, one := range v {
			leaves(one, into)
		}
	default:
		into[fmt.Sprint(v)] = true
	}
}

func texts(v audit.Value) (all []string) {
	switch v.Kind {
	case audit.String:
		return []string{v.Str}
	case audit.Strings:
		return v.Strs
	case audit.Maps:
		for _, m := range v.Maps {
			for _, a := range m {
				all = append(all, texts(a.Value)...)
			}
		}
	}
	return all
}

// asText is a text as events and the log's lines hold it (docs/spec, §3.2).
func asText(s string) string {
	var b strings.Builder
	for i, r := range s {
		switch _, n := utf8.DecodeRuneInString(s[i:]); {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, "\x1a%02x", s[i])
		case r == 0x1a:
			b.WriteString("\x1a\x1a")
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// checkLossless demands that every text of a record is in its event, as it is.
func checkLossless(t testing.TB, line []byte, rec *ocsf.Record) {
	t.Helper()
	event, err := decode(line)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	leaves(event, found)
	for _, a := range rec.Attributes {
		for _, text := range texts(a.Value) {
			// Address and port are in the source as the provider wrote it.
			endpoint := a.Key == audit.AttrSourceID && strings.Contains(text, audittest.Text(&rec.Record, audit.AttrClientAddress))
			if derived[a.Key] || endpoint || found[asText(text)] {
				continue
			}
			t.Errorf("%s: %q is lost\n%s", a.Key, text, line)
		}
	}
	want := string(rec.Body)
	if !utf8.ValidString(want) {
		want = base64.StdEncoding.EncodeToString(rec.Body)
	} else {
		want = asText(want)
	}
	if got := member(t, line, "raw_data"); got != want {
		t.Errorf("raw_data is %q, not the body", got)
	}
}

func TestNothingIsLost(t *testing.T) {
	r := newRenderer(t)
	for _, rec := range fullRecords() {
		checkLossless(t, render(t, r, &rec), &rec)
		// A class that the schema does not have.
		for i := range rec.Attributes {
			if rec.Attributes[i].Key == audit.AttrOCSFClass {
				rec.Attributes[i].Value.Int = 4001
			}
		}
		line := render(t, r, &rec)
		checkLossless(t, line, &rec)
		check(t, line, "class_uid", "0")
	}
}

func TestBaseEvents(t *testing.T) {
	r := newRenderer(t)
	line := render(t, r, &ocsf.Record{Record: *audit.Quarantine([]byte("\xff\x00half"), "aws", fmt.Errorf("why"))})
	check(t, line, "class_uid", "0", "activity_id", "0", "type_uid", "0", "time", "0", "status", "Unknown", "raw_data", "/wBoYWxm",
		"unmapped/$raw_data_encoding", "base64", "unmapped/audit.parse.error", "why", "unmapped/audit.quarantined", "true",
		"unmapped/$event_name", audit.EventSystem, "cloud/provider", "AWS", "metadata/product/name", "AWS CloudTrail", "raw_data_size", "6")

	at := time.Date(2026, 3, 1, 12, 0, 0, 7, time.UTC)
	line = render(t, r, &ocsf.Record{Record: audit.Record{Time: at}, Observed: at, Log: "gateway-1", Index: 1 << 62, Statement: "closed",
		Rest: []byte(`{"custody":{"closed":{"count":2}}}`)})
	check(t, line, "activity_id", "99", "activity_name", "closed", "metadata/product/name", "Custody", "metadata/sequence", "4611686018427387904",
		"metadata/original_time", "2026-03-01T12:00:00.000000007Z", "unmapped/$record/custody/closed/count", "2", "metadata/loggers/0/log_name", "gateway-1")
}

// An activity that a class does not have is another one, and stays to be read.
func TestForeignActivity(t *testing.T) {
	rec := ocsf.Record{Record: audit.Record{Attributes: []audit.Attribute{
		audit.IntAttr(audit.AttrOCSFClass, 6003), audit.IntAttr(audit.AttrOCSFActivity, 7), audit.StringAttr(audit.AttrOperation, "Fly"),
	}}}
	check(t, render(t, newRenderer(t), &rec), "activity_id", "99", "activity_name", "Fly", "type_uid", "600399", "unmapped/ocsf.activity_id", "7")
}

// A missing time is when the event was taken up; exact times are kept as text.
func TestTimes(t *testing.T) {
	seen := time.Date(2026, 3, 1, 12, 0, 1, 0, time.UTC)
	rec := ocsf.Record{Observed: seen}
	check(t, render(t, newRenderer(t), &rec), "time", "1772366401000", "metadata/logged_time", "1772366401000", "metadata/original_time", "")
	rec.Time = time.Date(2026, 3, 1, 11, 0, 0, 123456789, time.UTC)
	check(t, render(t, newRenderer(t), &rec), "time", "1772362800123", "metadata/original_time", "2026-03-01T11:00:00.123456789Z")
}

func TestExactIntegers(t *testing.T) {
	rec := ocsf.Record{Record: audit.Record{Attributes: []audit.Attribute{audit.IntAttr("big", 9007199254740993), audit.IntAttr("least", -1<<63)}}}
	check(t, render(t, newRenderer(t), &rec), "unmapped/big", "9007199254740993", "unmapped/least", "-9223372036854775808")
}

// Text of whatever kind is valid JSON that steers no terminal, and stays distinct.
func TestHostileText(t *testing.T) {
	r := newRenderer(t)
	for text, want := range map[string]string{
		"\x1b[2J\"\\\u202e\u2028\u0085\U000e0001é\x00": "\x1b[2J\"\\\u202e\u2028\u0085\U000e0001é\x00",
		"\xff\x1a": "\x1aff\x1a\x1a",
		"\xed\xa0": "\x1aed\x1aa0",
	} {
		rec := ocsf.Record{Record: audit.Record{Body: []byte("x"), Attributes: []audit.Attribute{
			audit.StringAttr(audit.AttrOperation, text), audit.StringAttr(text, text), audit.StringAttr("$record", text), audit.StringAttr("", "nameless"),
		}}, Rest: []byte("{\"a\":\"\u202e\U000e0001é\"}")}
		line := render(t, r, &rec)
		check(t, line, "metadata/event_code", want, "unmapped/"+want, want, "unmapped/$$record", want, "unmapped/", "nameless",
			"unmapped/$record/a", "\u202e\U000e0001é")
		if i := bytes.IndexFunc(line, func(c rune) bool { return unicode.IsControl(c) || unicode.Is(unicode.Cf, c) || c == '\u2028' }); i >= 0 {
			t.Errorf("a character that steers, at %d: %q", i, line)
		}
	}
}

func TestVersions(t *testing.T) {
	if _, err := ocsf.NewRenderer("0.1.0"); err == nil || !strings.Contains(err.Error(), `unknown version "0.1.0" of OCSF; this one knows 1.6.0`) {
		t.Errorf("an unknown version: %v", err)
	}
	for _, v := range ocsf.Versions() {
		if _, err := ocsf.NewRenderer(v); err != nil {
			t.Error(err)
		}
	}
}

// FuzzRender renders records of any attributes.
func FuzzRender(f *testing.F) {
	keys := fullKeys()
	f.Add([]byte{0, 1, 2, 3}, "198.51.100.7", int64(3))
	f.Add([]byte("\x05\xff\x1a"), "a@b.c", int64(0))
	f.Fuzz(func(t *testing.T, picks []byte, text string, n int64) {
		for uid := range classes {
			class, err := json.Number(uid).Int64()
			if err != nil {
				t.Fatal(err)
			}
			attributes := []audit.Attribute{audit.IntAttr(audit.AttrOCSFClass, class), audit.IntAttr(audit.AttrOCSFActivity, n)}
			seen := map[string]bool{audit.AttrOCSFClass: true, audit.AttrOCSFActivity: true}
			for i, p := range picks {
				key := keys[int(p)%len(keys)]
				if !seen[key] {
					seen[key], attributes = true, append(attributes, anyAttribute(key, text, n, i+int(p)))
				}
			}
			rec := ocsf.Record{Record: audit.Record{Body: []byte(text), Attributes: attributes, EventName: text, Resource: audit.Resource{Provider: text}}}
			render(t, newRenderer(t), &rec)
		}
	})
}

func anyAttribute(key, text string, n int64, kind int) audit.Attribute {
	switch kind % 5 {
	case 0:
		return audit.IntAttr(key, n)
	case 1:
		return audit.BoolAttr(key, n > 0)
	case 2:
		return audit.StringsAttr(key, []string{text, ""})
	case 3:
		return audit.MapsAttr(key, [][]audit.Attribute{{audit.StringAttr("id", text), audit.StringAttr("type", "role"), audit.IntAttr("x", n)}, {}})
	}
	return audit.StringAttr(key, text)
}

func BenchmarkRender(b *testing.B) {
	r, records := newRenderer(b), fullRecords()
	var line []byte
	n := 0
	for b.Loop() {
		for i := range records {
			line = r.Append(line[:0], &records[i])
			n += len(line)
		}
	}
	b.SetBytes(int64(n / b.N))
}

// goldenEvents are the events that the mutations are made of.
func goldenEvents(t *testing.T) (all []map[string]any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "classes.golden"))
	if err != nil {
		t.Fatal(err)
	}
	for d := json.NewDecoder(bytes.NewReader(text)); d.More(); {
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			t.Fatal(err)
		}
		event, err := decode(raw)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, event)
	}
	return all
}
