package digest_test

import (
	"crypto/rsa"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/otelcol-custody/custody/audit/cloudtrail/digest"
	"github.com/otelcol-custody/custody/audit/cloudtrail/digest/digesttest"
)

// A court is a judge, what it said, and its stored state, from which it can start anew.
type court struct {
	t       *testing.T
	opt     Options
	judge   *Judge
	state   map[string][]byte
	said    []Outcome
	restart bool // before every call
}

func newCourt(t *testing.T, opt Options, keys ...*rsa.PrivateKey) *court {
	t.Helper()
	c := &court{t: t, opt: opt, judge: NewJudge(opt), state: map[string][]byte{}}
	c.keys(keys...)
	return c
}

func (c *court) keys(keys ...*rsa.PrivateKey) {
	c.t.Helper()
	if len(keys) == 0 {
		return
	}
	for _, k := range keysOf(c.t, keys...) {
		c.take(c.judge.AddKeys(k))
	}
}

func (c *court) take(r Result) []Outcome {
	c.t.Helper()
	for _, change := range r.Changes {
		if change.Value == nil {
			delete(c.state, change.Key)
		} else {
			c.state[change.Key] = change.Value
		}
	}
	c.said = append(c.said, r.Outcomes...)
	if c.restart {
		c.judge = NewJudge(c.opt)
		for key, value := range c.state {
			if err := c.judge.Load(key, value); err != nil {
				c.t.Fatal(err)
			}
		}
	}
	return r.Outcomes
}

func (c *court) feed(files ...digesttest.File) []Outcome {
	c.t.Helper()
	var all []Outcome
	for _, f := range files {
		if f.Digest {
			all = append(all, c.take(c.judge.Digest(f.Arrival()))...)
		} else {
			all = append(all, c.take(c.judge.Log(f.Delivery()))...)
		}
	}
	return all
}

// brief is an outcome in one line: the reason and the end of the file's name.
func brief(o Outcome) string {
	key := strings.TrimSuffix(o.Object.Key, ".json.gz")
	if o.Object.Key == "" {
		key = o.Chain.String()
	}
	s := string(o.Reason) + " " + key[strings.LastIndexByte(key, '_')+1:]
	if strings.HasSuffix(key, "_backfill") {
		s = string(o.Reason) + " backfill"
	}
	return s
}

func briefs(outcomes []Outcome) []string {
	var list []string
	for _, o := range outcomes {
		list = append(list, brief(o))
	}
	slices.Sort(list)
	return list
}

func want(t *testing.T, got []Outcome, lines ...string) {
	t.Helper()
	slices.Sort(lines)
	if have := briefs(got); !slices.Equal(have, lines) {
		t.Errorf("outcomes:\n  %s\nwant:\n  %s", strings.Join(have, "\n  "), strings.Join(lines, "\n  "))
	}
	for _, o := range got {
		if o.Sentence() == "" || strings.Contains(o.Sentence(), "0001-01-01") || o.Chain == (Chain{}) {
			t.Errorf("%s says %q about chain %q", o.Reason, o.Sentence(), o.Chain)
		}
	}
}

// verdicts are the outcomes that are not verified.
func verdicts(all []Outcome) []Outcome {
	return slices.DeleteFunc(slices.Clone(all), func(o Outcome) bool { return o.Kind() == Verified })
}

// A scene is what a bucket holds, and what must be said of it beside "verified".
type scene struct {
	name     string
	files    func(t *testing.T, tr *digesttest.Trail) []digesttest.File
	keys     func(t *testing.T) []*rsa.PrivateKey // nil: the trail's
	until    time.Duration                        // after Begin
	verified int
	want     []string
}

// bucket is a trail's first four hours: a start, two with log files, one without. The
// indexes: digests 0, 3, 5, 6; log files 1, 2, 4.
func bucket(t *testing.T, tr *digesttest.Trail) []digesttest.File {
	start := tr.Hour(t)
	a, b := tr.Log(10), tr.Log(50)
	busy := tr.Hour(t, a, b)
	c := tr.Log(30)
	return []digesttest.File{start, a, b, busy, c, tr.Hour(t, c), tr.Hour(t)}
}

func without(files []digesttest.File, gone ...int) []digesttest.File {
	var left []digesttest.File
	for i, f := range files {
		if !slices.Contains(gone, i) {
			left = append(left, f)
		}
	}
	return left
}

// changed alters a file.
func changed(files []digesttest.File, at int, alter func(*digesttest.File)) []digesttest.File {
	alter(&files[at])
	return files
}

func body(f *digesttest.File) {
	f.Inflated = []byte(strings.Replace(string(f.Inflated), "111122223333", "999922223333", 1))
	f.Inflated = []byte(strings.Replace(string(f.Inflated), "1.11", "1.12", 1))
}

type files = []digesttest.File

var scenes = []scene{
	{name: "valid", files: bucket, verified: 7},
	{name: "organization", verified: 7, files: func(t *testing.T, tr *digesttest.Trail) files {
		tr.Org, tr.Prefix = "o-example1", "some/prefix/"
		return bucket(t, tr)
	}},
	{name: "log modified", verified: 6, want: []string{"log-hash Example000000001"}, files: func(t *testing.T, tr *digesttest.Trail) files {
		return changed(bucket(t, tr), 1, body)
	}},
	{name: "log deleted", verified: 6, want: []string{"log-missing Example000000003"}, files: func(t *testing.T, tr *digesttest.Trail) files {
		return without(bucket(t, tr), 4)
	}},
	{name: "digest modified", verified: 4, want: []string{"digest-signature 20260304T120131Z", "log-uncovered Example000000001", "log-uncovered Example000000002"},
		files: func(t *testing.T, tr *digesttest.Trail) files { return changed(bucket(t, tr), 3, body) }},
	{name: "signature modified", verified: 6, want: []string{"digest-signature 20260304T140131Z"}, files: func(t *testing.T, tr *digesttest.Trail) files {
		return changed(bucket(t, tr), 6, func(f *digesttest.File) { f.Signature = "00" + f.Signature[2:] })
	}},
	{name: "digest is no digest", verified: 4, want: []string{"digest-malformed 20260304T120131Z", "log-uncovered Example000000001", "log-uncovered Example000000002"},
		files: func(t *testing.T, tr *digesttest.Trail) files {
			return changed(bucket(t, tr), 3, func(f *digesttest.File) { f.Inflated = []byte("{}") })
		}},
	{name: "digest deleted", verified: 4, want: []string{"digest-missing 20260304T120131Z", "log-uncovered Example000000001", "log-uncovered Example000000002"},
		files: func(t *testing.T, tr *digesttest.Trail) files { return without(bucket(t, tr), 3) }},
	{name: "two digests deleted", verified: 2, want: []string{
		"digest-missing 20260304T130131Z", "log-uncovered Example000000001", "log-uncovered Example000000002", "log-uncovered Example000000003"},
		files: func(t *testing.T, tr *digesttest.Trail) files { return without(bucket(t, tr), 3, 5) }},
	{name: "oldest digest deleted", verified: 6, want: []string{"digest-missing 20260304T110131Z"},
		files: func(t *testing.T, tr *digesttest.Trail) files { return without(bucket(t, tr), 0) }},
	{name: "newest deleted, and nothing asks", verified: 6, files: func(t *testing.T, tr *digesttest.Trail) files { return without(bucket(t, tr), 6) }},
	{name: "newest deleted", verified: 6, until: 4 * time.Hour, want: []string{"digest-overdue 111122223333/eu-west-1 trail acme of eu-central-1"},
		files: func(t *testing.T, tr *digesttest.Trail) files { return without(bucket(t, tr), 6) }},
	{name: "newest there", verified: 7, until: 4 * time.Hour, files: bucket},
	{name: "newest deleted, but not their log files", verified: 1, want: []string{
		"digest-overdue 111122223333/eu-west-1 trail acme of eu-central-1",
		"log-not-due Example000000001", "log-not-due Example000000002", "log-not-due Example000000003", "log-not-due Example000000004"},
		files: func(t *testing.T, tr *digesttest.Trail) files {
			return append(without(bucket(t, tr), 3, 5, 6), tr.Log(10))
		}},
	{name: "restart", verified: 9, want: []string{"chain-restarted 20260304T170131Z"}, files: func(t *testing.T, tr *digesttest.Trail) files {
		list := bucket(t, tr)
		tr.Restart(2 * time.Hour)
		return append(list, tr.Hour(t), tr.Hour(t))
	}},
	{name: "a digest begins late", verified: 8, want: []string{"chain-gap 20260304T150131Z"}, files: func(t *testing.T, tr *digesttest.Trail) files {
		list := bucket(t, tr)
		tr.Edit = func(d *digesttest.Doc) { d.Start = "2026-03-04T14:31:31Z" }
		return append(list, tr.Hour(t))
	}},
	{name: "moved", want: repeat("digest-moved", 4, "log-uncovered", 3), files: func(t *testing.T, tr *digesttest.Trail) files {
		list := bucket(t, tr)
		for i := range list {
			list[i].Key = "copied/" + list[i].Key
		}
		return list
	}},
	{name: "moved to another bucket", want: repeat("digest-moved", 4, "log-uncovered", 3), files: func(t *testing.T, tr *digesttest.Trail) files {
		list := bucket(t, tr)
		for i := range list {
			list[i].Bucket = "copied"
		}
		return list
	}},
	{name: "one digest at another's key", verified: 6, want: []string{"digest-moved 20260304T140131Z"}, files: func(t *testing.T, tr *digesttest.Trail) files {
		list := bucket(t, tr)
		return changed(list, 6, func(f *digesttest.File) { f.Inflated, f.Signature = list[5].Inflated, list[5].Signature })
	}},
	{name: "previous hash lies", verified: 7, want: []string{"previous-hash 20260304T130131Z"}, files: func(t *testing.T, tr *digesttest.Trail) files {
		tr.Edit = func(d *digesttest.Doc) {
			if lie := strings.Repeat("0", 64); d.End == "2026-03-04T13:01:31Z" {
				d.PrevHash = &lie
			}
		}
		return bucket(t, tr)
	}},
	{name: "previous signature lies", verified: 7, want: []string{"previous-signature 20260304T130131Z"}, files: func(t *testing.T, tr *digesttest.Trail) files {
		tr.Edit = func(d *digesttest.Doc) {
			if lie := "00ff"; d.End == "2026-03-04T13:01:31Z" {
				d.PrevSig = &lie
			}
		}
		return bucket(t, tr)
	}},
	{name: "metadata lost within", verified: 7, files: func(t *testing.T, tr *digesttest.Trail) files {
		return changed(bucket(t, tr), 3, func(f *digesttest.File) { f.Signature = "" })
	}},
	{name: "metadata lost everywhere", verified: 6, want: []string{"digest-unsigned 20260304T140131Z"}, files: func(t *testing.T, tr *digesttest.Trail) files {
		list := bucket(t, tr)
		for i := range list {
			list[i].Signature = ""
		}
		return list
	}},
	{name: "metadata lost, and the next one altered", verified: 3, want: []string{
		"digest-unsigned 20260304T120131Z", "digest-signature 20260304T130131Z", "log-uncovered Example000000001", "log-uncovered Example000000002", "log-uncovered Example000000003"},
		files: func(t *testing.T, tr *digesttest.Trail) files {
			list := bucket(t, tr)
			list[3].Signature = ""
			return append(changed(list, 5, func(f *digesttest.File) {
				f.Inflated = []byte(strings.Replace(string(f.Inflated), `"previousDigestSignature":"`, `"previousDigestSignature":"00`, 1))
			}), tr.Hour(t))
		}},
	{name: "backfill", verified: 9, files: func(t *testing.T, tr *digesttest.Trail) files {
		list := bucket(t, tr)
		late := tr.Log(-20)
		return append(list, late, tr.Late(t, late))
	}},
	{name: "chained backfill", verified: 12, files: func(t *testing.T, tr *digesttest.Trail) files {
		list := bucket(t, tr)
		one, two := tr.Log(-20), tr.Log(50)
		first := tr.Late(t, one)
		return append(list, one, first, two, tr.Hour(t), tr.Late(t, two))
	}},
	{name: "backfill deleted", verified: 10, want: []string{"digest-missing backfill", "log-not-listed Example000000004"}, files: func(t *testing.T, tr *digesttest.Trail) files {
		list := bucket(t, tr)
		one, two := tr.Log(-50), tr.Log(50)
		_ = tr.Late(t, one)
		return append(list, one, two, tr.Hour(t), tr.Late(t, two))
	}},
	{name: "forged log file", verified: 31, want: []string{"log-unlisted Example000000003"}, files: func(t *testing.T, tr *digesttest.Trail) files {
		list := files{tr.Hour(t)}
		a, b, forged := tr.Log(10), tr.Log(50), tr.Log(20)
		list = append(list, a, b, forged, tr.Hour(t, a, b))
		for range 27 {
			list = append(list, tr.Hour(t))
		}
		return list
	}},
	{name: "log file too new to tell", verified: 7, want: []string{"log-not-due Example000000004"}, files: func(t *testing.T, tr *digesttest.Trail) files {
		return append(bucket(t, tr), tr.Log(10))
	}},
	{name: "log file before the first digest", verified: 7, want: []string{"log-uncovered Example000000001"}, files: func(t *testing.T, tr *digesttest.Trail) files {
		old := tr.Log(-600)
		return append(bucket(t, tr), old)
	}},
	{name: "insights that no digest lists", verified: 7, want: []string{"log-other-kind Example000000004"}, files: func(t *testing.T, tr *digesttest.Trail) files {
		list := bucket(t, tr)
		return append(list, tr.LogIn("CloudTrail-Insight", -130))
	}},
	{name: "key of another region", want: repeat("key-unknown", 4, "log-uncovered", 3), files: bucket,
		keys: func(t *testing.T) []*rsa.PrivateKey {
			return []*rsa.PrivateKey{digesttest.PrivateKey(t, "us-east-1", 2048)}
		}},
	{name: "short key", want: repeat("key-weak", 4, "log-uncovered", 3), files: func(t *testing.T, tr *digesttest.Trail) files {
		tr.Key = digesttest.PrivateKey(t, "short", 1024)
		return bucket(t, tr)
	}, keys: func(t *testing.T) []*rsa.PrivateKey {
		return []*rsa.PrivateKey{digesttest.PrivateKey(t, "short", 1024)}
	}},
	{name: "duplicates", verified: 7, files: func(t *testing.T, tr *digesttest.Trail) files {
		list := bucket(t, tr)
		return append(append(list, list...), list...)
	}},
	{name: "altered beside the genuine one", verified: 7, want: []string{"log-hash Example000000001", "digest-signature 20260304T130131Z"}, files: func(t *testing.T, tr *digesttest.Trail) files {
		list := bucket(t, tr)
		other := slices.Clone(list)
		body(&other[1])
		body(&other[5])
		return append(list, other...)
	}},
	{name: "no digests at all", want: repeat("log-uncovered", 3), files: func(t *testing.T, tr *digesttest.Trail) files {
		return without(bucket(t, tr), 0, 3, 5, 6)
	}},
	{name: "a trail that ended beside one that goes on", verified: 8, want: []string{"log-not-due Example000000004"}, files: func(t *testing.T, tr *digesttest.Trail) files {
		other := digesttest.NewTrail(t, tr.Bucket, tr.Region)
		other.Trail = "ended"
		return append(bucket(t, tr), other.Hour(t), tr.Log(10))
	}},
	{name: "two trails", verified: 11, files: func(t *testing.T, tr *digesttest.Trail) files {
		list := bucket(t, tr)
		other := digesttest.NewTrail(t, tr.Bucket, tr.Region)
		other.Trail = "second"
		return append(list, without(bucket(t, other), 1, 2, 4)...)
	}},
}

// repeat are lines of which only the reasons count.
func repeat(reasonsAndCounts ...any) (lines []string) {
	for i := 0; i < len(reasonsAndCounts); i += 2 {
		for range reasonsAndCounts[i+1].(int) {
			lines = append(lines, reasonsAndCounts[i].(string)+" *")
		}
	}
	return lines
}

func (s scene) check(t *testing.T, said []Outcome) {
	t.Helper()
	bad := verdicts(said)
	if len(s.want) > 0 && strings.HasSuffix(s.want[0], " *") {
		var got []string
		for _, o := range bad {
			got = append(got, string(o.Reason)+" *")
		}
		slices.Sort(got)
		lines := slices.Sorted(slices.Values(s.want))
		if !slices.Equal(got, lines) {
			t.Errorf("outcomes %q, want %q", got, lines)
		}
	} else {
		want(t, bad, slices.Clone(s.want)...)
	}
	if n := len(said) - len(bad); n != s.verified {
		t.Errorf("%d files are verified, want %d:\n%s", n, s.verified, strings.Join(briefs(said), "\n"))
	}
}

// TestScenes: whatever the order in which files come, and with a restart between any two,
// the same is said.
func TestScenes(t *testing.T) {
	for _, s := range scenes {
		t.Run(s.name, func(t *testing.T) {
			for seed := range uint64(6) {
				tr := digesttest.NewTrail(t, "acme-trail", "eu-west-1")
				list := s.files(t, tr)
				switch {
				case seed == 1:
					slices.Reverse(list)
				case seed > 1:
					rand.New(rand.NewPCG(seed, 7)).Shuffle(len(list), func(a, b int) { list[a], list[b] = list[b], list[a] })
				}
				keys := []*rsa.PrivateKey{tr.Key}
				if s.keys != nil {
					keys = s.keys(t)
				}
				c := newCourt(t, Options{}, keys...)
				c.restart = seed%2 == 1
				c.feed(list...)
				var until time.Time
				if s.until > 0 {
					until = digesttest.Begin.Add(s.until)
				}
				c.take(c.judge.Finish(until))
				s.check(t, c.said)
				if t.Failed() {
					t.Fatalf("seed %d, order: %s", seed, fmt.Sprint(briefs(c.said)))
				}
			}
		})
	}
}
