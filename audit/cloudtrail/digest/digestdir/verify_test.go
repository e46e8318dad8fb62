package digestdir

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/otelcol-custody/custody/audit/cloudtrail/digest"
	"github.com/otelcol-custody/custody/audit/cloudtrail/digest/digesttest"
)

// copied is a copy of buckets: files by path.
func copied(t *testing.T, prefix string, files ...digesttest.File) fstest.MapFS {
	t.Helper()
	m := fstest.MapFS{}
	for _, f := range files {
		m[prefix+f.Key] = &fstest.MapFile{Data: f.Gzip(t)}
		if meta := f.Metadata(); meta != nil {
			data, err := json.Marshal(meta)
			if err != nil {
				t.Fatal(err)
			}
			m[prefix+f.Key+".metadata.json"] = &fstest.MapFile{Data: data}
		}
	}
	return m
}

// month is a trail of some days with log files every hour.
func month(t *testing.T, tr *digesttest.Trail, hours int) (list []digesttest.File) {
	t.Helper()
	for range hours {
		a, b := tr.Log(3), tr.Log(58)
		list = append(list, a, b, tr.Hour(t, a, b))
	}
	return list
}

func keys(t *testing.T, private ...*rsa.PrivateKey) []digest.Key {
	t.Helper()
	list, err := digest.ParseKeys(digesttest.KeyList(t, private...))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func run(t *testing.T, fsys fs.FS, opt Options) *Report {
	t.Helper()
	if opt.Keys == nil {
		opt.Keys = keys(t, digesttest.PrivateKey(t, "eu-west-1", 2048), digesttest.PrivateKey(t, "us-east-1", 2048))
	}
	opt.Workers = 3
	r, err := Verify(t.Context(), fsys, opt)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func reasons(list []digest.Outcome) (all []string) {
	for _, o := range list {
		all = append(all, string(o.Reason))
	}
	slices.Sort(all)
	return all
}

func TestLayouts(t *testing.T) {
	tr, other := digesttest.NewTrail(t, "acme-trail", "eu-west-1"), digesttest.NewTrail(t, "acme-other", "us-east-1")
	other.Org, other.Prefix = "o-example1", "AWSLogs/a[b]*/"
	one, two := month(t, tr, 50), month(t, other, 30)
	both := copied(t, "acme-trail/", one...)
	for p, f := range copied(t, "acme-other/", two...) {
		both[p] = f
	}
	for what, c := range map[string]struct {
		fsys   fs.FS
		bucket string
		chains int
	}{
		"root":              {copied(t, "", one...), "", 1},
		"root, named":       {copied(t, "", one...), "acme-trail", 1},
		"a folder a bucket": {both, "", 2},
	} {
		r := run(t, c.fsys, Options{Bucket: c.bucket})
		if len(r.Findings)+len(r.Unproven)+len(r.Notices) > 0 || !r.Complete() || r.Tampered() || len(r.Chains) != c.chains || len(r.Buckets) != c.chains {
			t.Errorf("%s: %+v", what, r)
		}
		if got := r.Chains[0]; got.Digests != 50 || got.Logs != 100 || !got.From.Equal(digesttest.Begin) || !got.To.Equal(digesttest.Begin.Add(50*time.Hour)) {
			t.Errorf("%s: %+v", what, got)
		}
	}
	r := run(t, copied(t, "", one...), Options{Bucket: "acme-other"})
	if len(r.Findings) != 50 || r.Findings[0].Reason != digest.DigestMoved || r.Complete() {
		t.Errorf("another bucket: %v", reasons(r.Findings))
	}
	r = run(t, copied(t, "moved/", one...), Options{})
	if len(r.Findings) != 50 || r.Findings[0].Reason != digest.DigestMoved {
		t.Errorf("moved: %v", reasons(r.Findings))
	}
}

// Of a copy without metadata only the newest digest stays unproven.
func TestLostMetadata(t *testing.T) {
	tr := digesttest.NewTrail(t, "acme-trail", "eu-west-1")
	fsys := copied(t, "", month(t, tr, 200)...)
	for p := range fsys {
		if strings.HasSuffix(p, metadataSuffix) {
			delete(fsys, p)
		}
	}
	r := run(t, fsys, Options{})
	if got := reasons(r.Unproven); !slices.Equal(got, []string{"digest-unsigned", "log-not-due", "log-not-due"}) || len(r.Findings) > 0 || r.Complete() || r.Chains[0].Digests != 199 {
		t.Errorf("%v, %v", got, reasons(r.Findings))
	}
}

// The forms of metadata, and what is no metadata.
func TestMetadata(t *testing.T) {
	tr := digesttest.NewTrail(t, "acme-trail", "eu-west-1")
	f := tr.Hour(t)
	for _, form := range []string{
		`{"Metadata":{"signature":"SIG","signature-algorithm":"SHA256withRSA"},"ContentLength":7}`,
		`{"X-Amz-Meta-Signature":"SIG"}`,
		`{"signature":"SIG","signature-algorithm":"SHA256withRSA"}`,
	} {
		fsys := copied(t, "", f)
		fsys[f.Key+metadataSuffix].Data = []byte(strings.Replace(form, "SIG", strings.ToUpper(f.Signature), 1))
		if r := run(t, fsys, Options{}); !r.Complete() || r.Tampered() {
			t.Errorf("%s: %+v", form, r)
		}
	}
	fsys := copied(t, "", f)
	fsys[f.Key+metadataSuffix].Data = []byte("{")
	if r := run(t, fsys, Options{}); len(r.Unread) != 1 || r.Complete() || r.Tampered() {
		t.Errorf("broken metadata: %+v", r)
	}
	fsys[f.Key+metadataSuffix].Data = []byte(`{"x-amz-meta-signature":"` + f.Signature + `","x-amz-meta-signature-algorithm":"none"}`)
	if r := run(t, fsys, Options{}); !slices.Equal(reasons(r.Findings), []string{"digest-signature"}) {
		t.Errorf("another algorithm: %+v", r)
	}
}

// Every file of a copy is altered, cut, emptied and removed in turn: the right one is named.
func TestEveryFile(t *testing.T) {
	tr := digesttest.NewTrail(t, "acme-trail", "eu-west-1")
	list := month(t, tr, 8)
	for i, f := range list {
		for what, alter := range map[string]func(fstest.MapFS){
			"altered": func(m fstest.MapFS) {
				g := f
				g.Inflated = append(slices.Clone(f.Inflated[:len(f.Inflated)-1]), ' ', f.Inflated[len(f.Inflated)-1])
				m[f.Key].Data = g.Gzip(t)
			},
			"cut":      func(m fstest.MapFS) { m[f.Key].Data = m[f.Key].Data[:len(m[f.Key].Data)-9] },
			"emptied":  func(m fstest.MapFS) { m[f.Key].Data = nil },
			"followed": func(m fstest.MapFS) { m[f.Key].Data = append(m[f.Key].Data, "more"...) },
			"two members": func(m fstest.MapFS) {
				m[f.Key].Data = append(m[f.Key].Data, digesttest.File{Inflated: []byte(" ")}.Gzip(t)...)
			},
			"removed": func(m fstest.MapFS) { delete(m, f.Key) },
		} {
			fsys := copied(t, "", list...)
			alter(fsys)
			r := run(t, fsys, Options{To: tr.Now})
			var named []digest.Object
			overdue := 0
			for _, o := range r.Findings {
				if o.Reason == digest.DigestOverdue {
					overdue++
				} else {
					named = append(named, o.Object)
				}
			}
			newest := i == len(list)-1
			gone := newest && what == "removed" // Nothing that is left names it.
			if (overdue == 1) != newest || (len(named) == 0) != gone || r.Tampered() == gone || !gone && (len(named) != 1 || named[0] != f.Object) {
				t.Errorf("%s %s: %v %+v", f.Key, what, reasons(r.Findings), r.Findings)
			}
		}
	}
}

func TestRange(t *testing.T) {
	tr := digesttest.NewTrail(t, "acme-trail", "eu-west-1")
	list := month(t, tr, 60)
	fsys := copied(t, "", list...)
	delete(fsys, list[2].Key)   // digest of the first hour
	delete(fsys, list[150].Key) // a log file of the 51st
	from, to := digesttest.Begin.Add(10*time.Hour+30*time.Minute), digesttest.Begin.Add(40*time.Hour+30*time.Minute)
	r := run(t, fsys, Options{From: from, To: to})
	if len(r.Findings) > 0 || !r.Complete() || r.Chains[0].Digests != 30 || r.Counts[digest.LogNotDue] != 1 {
		t.Errorf("%+v", r)
	}
	if r := run(t, fsys, Options{From: from}); !slices.Equal(reasons(r.Findings), []string{"log-missing"}) {
		t.Errorf("%v", reasons(r.Findings))
	}
	if r := run(t, fsys, Options{To: to}); !slices.Equal(reasons(r.Findings), []string{"digest-missing"}) {
		t.Errorf("%v", reasons(r.Findings))
	}
	if r := run(t, fsys, Options{From: from, To: tr.Now.Add(time.Hour)}); !slices.Equal(reasons(r.Findings), []string{"digest-overdue", "log-missing"}) {
		t.Errorf("%v", reasons(r.Findings))
	}
}

// A backfill digest that vouches for an old log file clears it, and a forged one is named.
func TestLateAndForged(t *testing.T) {
	tr := digesttest.NewTrail(t, "acme-trail", "eu-west-1")
	list := month(t, tr, 3)
	lateLog, forged := tr.Log(-30), tr.Log(-20)
	list = append(list, lateLog, forged, tr.Late(t, lateLog))
	list = append(list, month(t, tr, 40)...)
	r := run(t, copied(t, "", list...), Options{})
	if len(r.Findings) != 1 || r.Findings[0].Reason != digest.LogUnlisted || r.Findings[0].Object != forged.Object || len(r.Chains) != 2 || len(r.Unproven) > 0 {
		t.Errorf("%+v", r)
	}
}

func TestStrangers(t *testing.T) {
	tr := digesttest.NewTrail(t, "acme-trail", "eu-west-1")
	f := tr.Hour(t)
	fsys := copied(t, "", f)
	dir := f.Key[:strings.LastIndexByte(f.Key, '/')+1]
	for i := range 12 {
		fsys[dir+"planted"+string(rune('a'+i))+".json.gz"] = &fstest.MapFile{}
	}
	fsys["AWSLogs/111122223333/Config/eu-west-1/2026/03/04/x.json.gz"] = &fstest.MapFile{}
	r := run(t, fsys, Options{})
	if len(r.Notices) != 1 || !strings.Contains(r.Notices[0], "planteda.json.gz") || !strings.Contains(r.Notices[0], "and 2 more") || strings.Contains(r.Notices[0], "Config") || !r.Complete() {
		t.Errorf("%+v", r)
	}
}

// broken is a file system in which reading some files fails.
type broken struct {
	fstest.MapFS
	bad string
}

func (b broken) Open(name string) (fs.File, error) {
	f, err := b.MapFS.Open(name)
	if err == nil && strings.Contains(name, b.bad) && strings.HasSuffix(name, ".gz") {
		return brokenFile{f}, nil
	}
	return f, err
}

type brokenFile struct{ fs.File }

func (brokenFile) Read([]byte) (int, error) { return 0, errors.New("input/output error") }

// A failed read accuses nobody.
func TestUnread(t *testing.T) {
	tr := digesttest.NewTrail(t, "acme-trail", "eu-west-1")
	list := month(t, tr, 5)
	for _, at := range []int{0, 4, 8, 14} {
		r := run(t, broken{copied(t, "", list...), list[at].Key}, Options{To: tr.Now})
		if len(r.Findings) > 0 || len(r.Unread) != 1 || !strings.Contains(r.Unread[0], "input/output error") || r.Complete() {
			t.Errorf("%s: findings %v, unread %v", list[at].Key, reasons(r.Findings), r.Unread)
		}
	}
}

// What is proven after all is no doubt any more; of the doubts beyond those that are named
// none is lost.
func TestProvenLater(t *testing.T) {
	r := newReport()
	outcome := func(reason digest.Reason, i int) []digest.Outcome {
		return []digest.Outcome{{Reason: reason, Object: digest.Object{Bucket: "acme-trail", Key: string(rune('a' + i))}}}
	}
	const all = maxUnproven + 50
	for i := range all {
		r.add(outcome(digest.DigestUnsigned, i))
	}
	r.add(outcome(digest.LogMissing, all))
	for i := range all {
		if len(r.Unproven) > maxUnproven || r.Complete() || !slices.Equal(r.Doubts(), []digest.Reason{digest.DigestUnsigned}) {
			t.Fatalf("%d are proven: %d named, doubts %v", i, len(r.Unproven), r.Doubts())
		}
		r.add(outcome(digest.DigestVerified, i))
	}
	if !r.Complete() || !r.Tampered() {
		t.Errorf("%+v", r)
	}
	if r.add(outcome(digest.LogVerified, all)); r.Tampered() || len(r.Findings) > 0 {
		t.Errorf("%+v", r)
	}
}

func TestNothing(t *testing.T) {
	for what, fsys := range map[string]fs.FS{
		"empty": fstest.MapFS{}, "other": fstest.MapFS{"a/b": &fstest.MapFile{}}, "no account": fstest.MapFS{"AWSLogs/x/y": &fstest.MapFile{}},
	} {
		for _, bucket := range []string{"", "acme-trail"} {
			if r, err := Verify(t.Context(), fsys, Options{Bucket: bucket}); !errors.Is(err, ErrNothing) || r.Complete() {
				t.Errorf("%s: %v", what, err)
			}
		}
	}
	tr := digesttest.NewTrail(t, "acme-trail", "eu-west-1")
	if r := run(t, copied(t, "", tr.Log(1)), Options{Bucket: "acme-trail"}); r.Complete() || r.Counts[digest.LogUncovered] != 1 {
		t.Errorf("log files alone: %+v", r)
	}
}

func TestInterrupted(t *testing.T) {
	tr := digesttest.NewTrail(t, "acme-trail", "eu-west-1")
	ctx, cancel := context.WithCancel(t.Context())
	done := 0
	_, err := Verify(ctx, copied(t, "", month(t, tr, 30)...), Options{Keys: keys(t, tr.Key), Progress: func(p Progress) {
		if done++; p.Listed {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) || done < 3 {
		t.Errorf("%v after %d", err, done)
	}
}
