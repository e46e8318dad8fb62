package azblobstore

import (
	"bytes"
	"cmp"
	"crypto/md5"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf16"
)

// double is this project's own stand-in for Azure Blob Storage with
// version-level immutability. It speaks just the calls that the store and its
// attacker make, keeps versions, and enforces policies and holds as Microsoft's
// pages describe. What it enforces proves nothing about Azure.
type double struct {
	t     *testing.T
	url   string
	naive bool // takes policies and holds, and enforces neither
	old   bool // knows no startFrom
	mad   bool // lists in no order
	page  int  // blobs in a page

	mu     sync.Mutex
	blobs  map[string][]*rev // versions of each name, the oldest first
	blocks map[string][]byte // name and block ID -> content
	clock  int
}

type rev struct {
	id, mode        string
	data            []byte
	until, modified time.Time
	hold, current   bool
}

func (v *rev) retained() bool { return v.hold || v.until.After(time.Now()) }

const doubleContainer = "/acmeaudit/evidence"

func newDouble(t *testing.T) *double {
	d := &double{t: t, page: 1000, blobs: map[string][]*rev{}, blocks: map[string][]byte{}}
	server := httptest.NewServer(d)
	t.Cleanup(server.Close)
	d.url = server.URL + "/acmeaudit"
	return d
}

func (d *double) options() Options {
	return Options{AccountURL: d.url, AccountKey: "aW52ZW50ZWQ=", Container: "evidence"}
}

func (d *double) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	name, inside := strings.CutPrefix(r.URL.Path, doubleContainer+"/")
	q := r.URL.Query()
	w.Header().Set("x-ms-request-id", "6f0d3c1e-double")
	switch comp := q.Get("comp"); {
	case q.Get("restype") == "container" && comp == "list":
		d.list(w, q)
	case q.Get("restype") == "container":
		w.Header().Set("x-ms-immutable-storage-with-versioning-enabled", fmt.Sprint(!d.naive))
	case !inside:
		refuse(w, 404, "ContainerNotFound")
	case r.Method == http.MethodPut && comp == "block":
		d.block(w, r, name+" "+q.Get("blockid"))
	case r.Method == http.MethodPut && comp == "blocklist":
		d.commit(w, r, name)
	case r.Method == http.MethodPut && comp == "":
		data, err := io.ReadAll(r.Body)
		if err == nil && whole(w, r, data) {
			d.add(w, r, name, data)
		}
	default:
		d.version(w, r, name, q.Get("versionid"), comp)
	}
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("x-ms-error-code", code)
	w.WriteHeader(status)
}

// whole checks the checksum that came with the bytes.
func whole(w http.ResponseWriter, r *http.Request, data []byte) bool {
	want := md5.Sum(data)
	if r.Header.Get("Content-MD5") != base64.StdEncoding.EncodeToString(want[:]) {
		refuse(w, 400, "Md5Mismatch")
		return false
	}
	return true
}

func (d *double) block(w http.ResponseWriter, r *http.Request, key string) {
	data, err := io.ReadAll(r.Body)
	if err == nil && whole(w, r, data) {
		d.blocks[key] = data
		w.WriteHeader(http.StatusCreated)
	}
}

func (d *double) commit(w http.ResponseWriter, r *http.Request, name string) {
	var list struct{ Latest []string }
	if err := xml.NewDecoder(r.Body).Decode(&list); err != nil {
		refuse(w, 400, "InvalidXmlDocument")
		return
	}
	var data []byte
	for _, id := range list.Latest {
		part, ok := d.blocks[name+" "+id]
		if !ok {
			refuse(w, 400, "InvalidBlockList")
			return
		}
		data = append(data, part...)
	}
	d.add(w, r, name, data)
}

// add makes a new current version.
func (d *double) add(w http.ResponseWriter, r *http.Request, name string, data []byte) {
	now := d.find(name, "")
	if now != nil && r.Header.Get("If-None-Match") == "*" {
		refuse(w, 409, "BlobAlreadyExists")
		return
	}
	v := &rev{data: data, current: true}
	if !d.policy(w, r, v) {
		return
	}
	v.hold = r.Header.Get("x-ms-legal-hold") == "true"
	if now != nil {
		now.current = false
	}
	d.clock++
	v.id = fmt.Sprintf("2026-01-01T00:00:00.%07dZ", d.clock)
	v.modified = time.Now().UTC()
	d.blobs[name] = append(d.blobs[name], v)
	describeRev(w, v)
	w.WriteHeader(http.StatusCreated)
}

// policy takes a policy from a request's headers; a locked one only grows.
func (d *double) policy(w http.ResponseWriter, r *http.Request, v *rev) bool {
	mode := strings.ToLower(r.Header.Get("x-ms-immutability-policy-mode"))
	until, err := http.ParseTime(r.Header.Get("x-ms-immutability-policy-until-date"))
	if mode == "" && r.Header.Get("x-ms-immutability-policy-until-date") == "" {
		return true
	}
	if err != nil || until.Before(time.Now()) {
		refuse(w, 400, "InvalidHeaderValue")
		return false
	}
	if v.mode == "locked" && !d.naive && (mode != "locked" || until.Before(v.until)) {
		refuse(w, 409, "BlobImmutableDueToPolicy")
		return false
	}
	v.mode, v.until = cmp.Or(mode, "unlocked"), until
	return true
}

func (d *double) find(name, id string) *rev {
	for _, v := range d.blobs[name] {
		if v.id == id || id == "" && v.current {
			return v
		}
	}
	return nil
}

func describeRev(w http.ResponseWriter, v *rev) {
	h := w.Header()
	h.Set("x-ms-version-id", v.id)
	h.Set("Last-Modified", v.modified.Format(http.TimeFormat))
	h.Set("ETag", `"`+v.id+`"`)
	if v.current {
		h.Set("x-ms-is-current-version", "true")
	}
	if v.mode != "" {
		h.Set("x-ms-immutability-policy-mode", v.mode)
		h.Set("x-ms-immutability-policy-until-date", v.until.Format(http.TimeFormat))
	}
	h.Set("x-ms-legal-hold", fmt.Sprint(v.hold))
}

// version answers calls about a version that is there.
func (d *double) version(w http.ResponseWriter, r *http.Request, name, id, comp string) {
	v := d.find(name, id)
	switch {
	case v == nil:
		refuse(w, 404, "BlobNotFound")
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		serve(w, r, v)
	case comp == "immutabilityPolicies" && r.Method == http.MethodDelete:
		if v.mode == "locked" && !d.naive {
			refuse(w, 409, "ImmutabilityPolicyDeleteOnLockedPolicy")
			return
		}
		v.mode, v.until = "", time.Time{}
	case comp == "immutabilityPolicies":
		if d.policy(w, r, v) {
			describeRev(w, v)
		}
	case comp == "legalhold":
		v.hold = r.Header.Get("x-ms-legal-hold") == "true"
		describeRev(w, v)
	case r.Method == http.MethodDelete && id == "":
		v.current = false
		w.WriteHeader(http.StatusAccepted)
	case r.Method == http.MethodDelete && v.current:
		refuse(w, 403, "OperationNotAllowedOnRootBlob")
	case r.Method == http.MethodDelete && v.retained() && !d.naive:
		refuse(w, 409, "BlobImmutableDueToPolicy")
	case r.Method == http.MethodDelete:
		d.blobs[name] = slices.DeleteFunc(d.blobs[name], func(o *rev) bool { return o == v })
		w.WriteHeader(http.StatusAccepted)
	default:
		d.t.Errorf("the double does not know %s %s", r.Method, r.URL)
	}
}

func serve(w http.ResponseWriter, r *http.Request, v *rev) {
	describeRev(w, v)
	if rng := r.Header.Get("x-ms-range"); rng != "" {
		r.Header.Set("Range", rng)
		var off int
		if _, err := fmt.Sscanf(rng, "bytes=%d-", &off); err != nil || off >= len(v.data) {
			refuse(w, 416, "InvalidRange")
			return
		}
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(v.data))
}

// list answers in pages, in the service's order.
func (d *double) list(w http.ResponseWriter, q url.Values) {
	versions, start := strings.Contains(q.Get("include"), "versions"), q.Get("startFrom")
	if d.old && start != "" {
		refuse(w, 400, "InvalidQueryParameterValue")
		return
	}
	var lines []string
	for _, name := range slices.SortedFunc(maps.Keys(d.blobs), likeAzure) {
		if !strings.HasPrefix(name, q.Get("prefix")) || likeAzure(name, start) < 0 {
			continue
		}
		for _, v := range d.blobs[name] {
			if v.current || versions {
				lines = append(lines, line(name, v, versions))
			}
		}
	}
	if d.mad {
		slices.Reverse(lines)
	}
	begin, _ := strconv.Atoi(q.Get("marker"))
	end, next := begin+d.page, strconv.Itoa(begin+d.page)
	if end >= len(lines) {
		end, next = len(lines), ""
	}
	w.Header().Set("Content-Type", "application/xml")
	fmt.Fprintf(w, "<EnumerationResults><Blobs>%s</Blobs><NextMarker>%s</NextMarker></EnumerationResults>", strings.Join(lines[begin:end], ""), next)
}

func line(name string, v *rev, versions bool) string {
	var b strings.Builder
	b.WriteString("<Blob><Name>")
	_ = xml.EscapeText(&b, []byte(name)) // A Builder never fails.
	b.WriteString("</Name>")
	if versions {
		fmt.Fprintf(&b, "<VersionId>%s</VersionId>", v.id)
		if v.current {
			b.WriteString("<IsCurrentVersion>true</IsCurrentVersion>")
		}
	}
	fmt.Fprintf(&b, "<Properties><Last-Modified>%s</Last-Modified><Content-Length>%d</Content-Length>", v.modified.Format(http.TimeFormat), len(v.data))
	if v.mode != "" {
		fmt.Fprintf(&b, "<ImmutabilityPolicyUntilDate>%s</ImmutabilityPolicyUntilDate><ImmutabilityPolicyMode>%s</ImmutabilityPolicyMode>",
			v.until.Format(http.TimeFormat), v.mode)
	}
	fmt.Fprintf(&b, "<LegalHold>%v</LegalHold></Properties></Blob>", v.hold)
	return b.String()
}

// likeAzure compares by UTF-16 code units.
func likeAzure(a, b string) int {
	return slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b)))
}
