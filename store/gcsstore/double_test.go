package gcsstore_test

import (
	"bytes"
	"cmp"
	"crypto/md5"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	raw "google.golang.org/api/storage/v1"
)

// double is this project's own stand-in for Cloud Storage: as much of its JSON
// interface as the store uses, with retention enforced as Google's pages say.
// It proves that the store understands such answers, and nothing about what a
// real server enforces.
type double struct {
	*httptest.Server
	perObject bool // the bucket has per-object retention
	versions  bool // the bucket keeps noncurrent generations
	lax       bool // retention is reported and not enforced
	forgetful bool // retention is neither

	mu      sync.Mutex // guards what follows
	policy  *raw.BucketRetentionPolicy
	objects map[string][]*kept // by name, oldest first
	uploads map[string]*begun
	clock   int64
}

type kept struct {
	raw.Object
	data []byte
}

// begun is a resumable upload.
type begun struct {
	meta  raw.Object
	query url.Values
	data  []byte
}

func newDouble(t testing.TB, set func(*double)) *double {
	d := &double{perObject: true, objects: map[string][]*kept{}, uploads: map[string]*begun{}, clock: 1_700_000_000_000_000}
	if set != nil {
		set(d)
	}
	d.Server = httptest.NewServer(d)
	t.Cleanup(d.Server.Close)
	return d
}

// refusal is an answer that isn't success.
type refusal struct {
	code         int
	reason, said string
}

func (d *double) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.EscapedPath(), "/")
	api := strings.TrimPrefix(strings.TrimPrefix(path, "upload/"), "storage/v1/b/")
	bucket, rest, _ := strings.Cut(api, "/")
	if bucket != "acme-audit" {
		refuse(w, &refusal{404, "notFound", "The specified bucket does not exist."})
		return
	}
	name, _ := url.PathUnescape(strings.TrimPrefix(strings.TrimPrefix(rest, "o"), "/"))
	body, _ := io.ReadAll(r.Body)
	d.mu.Lock()
	defer d.mu.Unlock()
	var no *refusal
	switch {
	case api == path: // reading
		name, _ = url.PathUnescape(rest)
		d.read(w, r, name)
	case rest == "":
		answer(w, d.settings())
	case strings.HasPrefix(path, "upload/"):
		no = d.upload(w, r, body)
	case rest == "o":
		answer(w, d.list(r.URL.Query()))
	case r.Method == http.MethodPatch:
		no = d.patch(w, r.URL.Query(), name, body)
	case r.Method == http.MethodDelete:
		no = d.delete(w, r.URL.Query(), name)
	default:
		if k := d.find(name, r.URL.Query().Get("generation")); k != nil {
			answer(w, &k.Object)
		} else {
			no = missing(name)
		}
	}
	if no != nil {
		refuse(w, no)
	}
}

func missing(name string) *refusal {
	return &refusal{404, "notFound", "No such object: acme-audit/" + name}
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // The client may have gone.
}

func refuse(w http.ResponseWriter, no *refusal) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(no.code)
	answer(w, map[string]any{"error": map[string]any{
		"code": no.code, "message": no.said, "errors": []map[string]string{{"domain": "global", "reason": no.reason, "message": no.said}},
	}})
}

func (d *double) settings() *raw.Bucket {
	b := &raw.Bucket{Name: "acme-audit", RetentionPolicy: d.policy}
	if d.policy != nil {
		d.policy.EffectiveTime = "2026-01-01T00:00:00Z"
	}
	if d.perObject {
		b.ObjectRetention = &raw.BucketObjectRetention{Mode: "Enabled"}
	}
	return b
}

// find returns a generation, or the live one if none is named.
func (d *double) find(name, gen string) *kept {
	all := d.objects[name]
	if gen == "" {
		if len(all) > 0 && all[len(all)-1].TimeDeleted == "" {
			return all[len(all)-1]
		}
		return nil
	}
	for _, k := range all {
		if strconv.FormatInt(k.Generation, 10) == gen {
			return k
		}
	}
	return nil
}

func (d *double) read(w http.ResponseWriter, r *http.Request, name string) {
	k := d.find(name, r.URL.Query().Get("generation"))
	if k == nil {
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, "<Error><Code>NoSuchKey</Code></Error>")
		return
	}
	w.Header().Set("X-Goog-Generation", strconv.FormatInt(k.Generation, 10))
	w.Header().Set("X-Goog-Hash", "crc32c="+k.Crc32c)
	w.Header().Set("Content-Type", k.ContentType)
	created, _ := time.Parse(time.RFC3339Nano, k.TimeCreated)
	http.ServeContent(w, r, "", created, bytes.NewReader(k.data))
}

// upload takes an object in one request, or the parts of a resumable one.
func (d *double) upload(w http.ResponseWriter, r *http.Request, body []byte) *refusal {
	q := r.URL.Query()
	if id := q.Get("upload_id"); id != "" {
		return d.part(w, r, id, body)
	}
	var meta raw.Object
	if q.Get("uploadType") == "resumable" {
		if err := json.Unmarshal(body, &meta); err != nil {
			return &refusal{400, "parseError", err.Error()}
		}
		id := strconv.Itoa(len(d.uploads) + 1)
		d.uploads[id] = &begun{meta: meta, query: q}
		w.Header().Set("Location", "http://"+r.Host+"/upload/storage/v1/b/acme-audit/o?upload_id="+id)
		answer(w, struct{}{})
		return nil
	}
	_, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	parts := multipart.NewReader(bytes.NewReader(body), params["boundary"])
	var data []byte
	head, err := parts.NextPart()
	if err == nil {
		err = json.NewDecoder(head).Decode(&meta)
	}
	if err == nil {
		if head, err = parts.NextPart(); err == nil {
			data, err = io.ReadAll(head)
		}
	}
	if err != nil {
		return &refusal{400, "badContent", err.Error()}
	}
	return d.insert(w, q, meta, data)
}

func (d *double) part(w http.ResponseWriter, r *http.Request, id string, body []byte) *refusal {
	u := d.uploads[id]
	if u == nil {
		return &refusal{404, "notFound", "Not Found"}
	}
	u.data = append(u.data, body...)
	if strings.HasSuffix(r.Header.Get("Content-Range"), "/*") {
		w.Header().Set("X-Http-Status-Code-Override", "308")
		w.Header().Set("Range", fmt.Sprintf("bytes=0-%d", len(u.data)-1))
		return nil
	}
	delete(d.uploads, id)
	return d.insert(w, u.query, u.meta, u.data)
}

func checksums(data []byte) (crc, md string) {
	sum := md5.Sum(data)
	c := binary.BigEndian.AppendUint32(nil, crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli)))
	return base64.StdEncoding.EncodeToString(c), base64.StdEncoding.EncodeToString(sum[:])
}

func (d *double) insert(w http.ResponseWriter, q url.Values, meta raw.Object, data []byte) *refusal {
	live := d.find(meta.Name, "")
	if crc, md := checksums(data); meta.Crc32c != "" && meta.Crc32c != crc || meta.Md5Hash != "" && meta.Md5Hash != md {
		return &refusal{400, "invalid", "Provided CRC32C or MD5 doesn't match."}
	} else if meta.Crc32c, meta.Md5Hash = crc, md; q.Get("ifGenerationMatch") == "0" && live != nil {
		return &refusal{412, "conditionNotMet", "At least one of the pre-conditions you specified did not hold."}
	}
	if meta.Retention != nil && !d.perObject {
		return &refusal{400, "invalid", "Object retention is not enabled on the bucket."}
	}
	if live != nil {
		if no := d.retire(meta.Name, live); no != nil {
			return no
		}
	}
	d.clock++
	meta.Generation, meta.Metageneration, meta.Size = d.clock, 1, uint64(len(data))
	meta.TimeCreated = time.Now().UTC().Format(time.RFC3339Nano)
	if d.policy != nil {
		end := time.Now().UTC().Add(time.Duration(d.policy.RetentionPeriod) * time.Second)
		meta.RetentionExpirationTime = end.Format(time.RFC3339Nano)
	}
	if d.forgetful {
		meta.Retention, meta.TemporaryHold = nil, false
	}
	d.objects[meta.Name] = append(d.objects[meta.Name], &kept{meta, data})
	answer(w, &meta)
	return nil
}

// retire makes the live generation noncurrent, or removes it.
func (d *double) retire(name string, live *kept) *refusal {
	if !d.versions {
		return d.remove(name, live)
	}
	live.TimeDeleted = time.Now().UTC().Format(time.RFC3339Nano)
	return nil
}

func (d *double) remove(name string, k *kept) *refusal {
	if !d.lax {
		if k.TemporaryHold {
			return &refusal{403, "objectUnderActiveHold", "Object 'acme-audit/" + name + "' is under active Temporary hold and cannot be deleted, overwritten or archived until hold is removed."}
		}
		if k.Retention != nil && time.Now().UTC().Format(time.RFC3339) < k.Retention.RetainUntilTime {
			return &refusal{403, "retentionPolicyNotMet", "Object 'acme-audit/" + name + "' is subject to bucket's retention policy or object retention and cannot be deleted or overwritten until " + k.Retention.RetainUntilTime}
		}
	}
	d.objects[name] = slices.DeleteFunc(d.objects[name], func(other *kept) bool { return other == k })
	return nil
}

func (d *double) delete(w http.ResponseWriter, q url.Values, name string) *refusal {
	gen := q.Get("generation")
	k := d.find(name, gen)
	if k == nil {
		return missing(name)
	}
	var no *refusal
	if gen == "" {
		no = d.retire(name, k)
	} else {
		no = d.remove(name, k)
	}
	if no == nil {
		w.WriteHeader(http.StatusNoContent)
	}
	return no
}

func (d *double) patch(w http.ResponseWriter, q url.Values, name string, body []byte) *refusal {
	k := d.find(name, q.Get("generation"))
	if k == nil {
		return missing(name)
	}
	if want := q.Get("ifMetagenerationMatch"); want != "" && want != strconv.FormatInt(k.Metageneration, 10) {
		return &refusal{412, "conditionNotMet", "At least one of the pre-conditions you specified did not hold."}
	}
	var p struct {
		Retention     json.RawMessage
		TemporaryHold *bool
	}
	if err := json.Unmarshal(body, &p); err != nil {
		return &refusal{400, "parseError", err.Error()}
	}
	if p.Retention != nil {
		var r *raw.ObjectRetention
		if err := json.Unmarshal(p.Retention, &r); err != nil {
			return &refusal{400, "parseError", err.Error()}
		}
		if no := d.retain(k, r, q.Get("overrideUnlockedRetention") == "true"); no != nil {
			return no
		}
	}
	if p.TemporaryHold != nil && !d.forgetful {
		k.TemporaryHold = *p.TemporaryHold
	}
	k.Metageneration++
	answer(w, &k.Object)
	return nil
}

// retain sets a retention by the rules of Object Retention Lock.
func (d *double) retain(k *kept, r *raw.ObjectRetention, override bool) *refusal {
	if !d.perObject {
		return &refusal{400, "invalid", "Object retention is not enabled on the bucket."}
	}
	if old := k.Retention; old != nil {
		weaker := r == nil || r.RetainUntilTime < old.RetainUntilTime
		changed := r != nil && r.Mode != old.Mode
		if old.Mode == "Locked" && (weaker || changed) {
			return &refusal{403, "forbidden", "Object has a locked retention, which cannot be reduced."}
		}
		if old.Mode == "Unlocked" && (weaker || changed) && !override {
			return &refusal{403, "forbidden", "Caller does not have storage.objects.overrideUnlockedRetention access."}
		}
	}
	if !d.forgetful {
		k.Retention = r
	}
	return nil
}

func (d *double) list(q url.Values) *raw.Objects {
	out := &raw.Objects{}
	most, _ := strconv.Atoi(cmp.Or(q.Get("maxResults"), "1000"))
	skip, _ := strconv.Atoi(q.Get("pageToken"))
	n := 0
	for _, name := range slices.Sorted(maps.Keys(d.objects)) {
		if !strings.HasPrefix(name, q.Get("prefix")) || name < q.Get("startOffset") {
			continue
		}
		for _, k := range d.objects[name] {
			if k.TimeDeleted != "" && q.Get("versions") != "true" {
				continue
			}
			if n++; n <= skip {
				continue
			}
			if len(out.Items) == most {
				out.NextPageToken = strconv.Itoa(n - 1)
				return out
			}
			out.Items = append(out.Items, &k.Object)
		}
	}
	return out
}
