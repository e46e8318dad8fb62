package awstest

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// An S3 is a small server that answers GetObject and ListObjectsV2 as S3 does, with
// versions, and as badly as a test wants. Its buckets exist as soon as they hold something.
type S3 struct {
	URL string

	mu      sync.Mutex
	objects map[string][]object // versions by "bucket/key", the newest last
	calls   []string
	gets    map[string]int // by "bucket/key"
	fault   func(S3Call) *S3Fault
	page    int
}

type object struct {
	version, etag string
	data          []byte
	meta          map[string]string
	modified      time.Time
	deleted       bool // a delete marker
}

// An S3Call is a request about an object, or with an empty key a listing.
type S3Call struct {
	Bucket, Key string
	Number      int // of this kind of call for this object, from 1
	Header      http.Header
}

// An S3Fault is an answer instead of the right one: an error, a body that breaks off
// after so many bytes, or no answer for so long.
type S3Fault struct {
	Status int
	Code   string
	Header http.Header
	Cut    int
	Wait   time.Duration
}

// NewS3 starts a server that ends with the test.
func NewS3(t testing.TB) *S3 {
	t.Helper()
	s := &S3{objects: map[string][]object{}, gets: map[string]int{}, page: 1000}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.URL = server.URL
	return s
}

// Put stores a new version of an object and returns its version id and entity tag.
func (s *S3) Put(bucket, key string, data []byte, meta map[string]string) (version, etag string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sum := md5.Sum(data)
	at := bucket + "/" + key
	o := object{version: fmt.Sprintf("v%d", len(s.objects[at])+1), etag: hex.EncodeToString(sum[:]), data: data, meta: meta, modified: time.Now()}
	s.objects[at] = append(s.objects[at], o)
	return o.version, o.etag
}

// Delete puts a delete marker over an object.
func (s *S3) Delete(bucket, key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := bucket + "/" + key
	s.objects[at] = append(s.objects[at], object{version: fmt.Sprintf("v%d", len(s.objects[at])+1), deleted: true})
}

// Erase removes every version of an object.
func (s *S3) Erase(bucket, key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.objects, bucket+"/"+key)
}

// Fault sets what decides about each call; nil, or an answer of nil, is the right answer.
func (s *S3) Fault(f func(S3Call) *S3Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = f
}

// PageSize sets how many keys one listing returns at most.
func (s *S3) PageSize(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.page = n
}

// Gets is how often an object was asked for.
func (s *S3) Gets(bucket, key string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gets[bucket+"/"+key]
}

// Calls are the operations that were called, each once, sorted.
func (s *S3) Calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Compact(slices.Sorted(slices.Values(s.calls)))
}

// ServeHTTP implements http.Handler.
func (s *S3) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	s.mu.Lock()
	operation := "s3:GetObject"
	switch {
	case key == "":
		operation = "s3:ListBucket"
	case r.URL.Query().Has("versionId"):
		operation = "s3:GetObjectVersion"
	}
	s.calls = append(s.calls, operation)
	s.gets[bucket+"/"+key]++
	call := S3Call{bucket, key, s.gets[bucket+"/"+key], r.Header}
	fault := s.fault
	s.mu.Unlock()

	var f *S3Fault
	if fault != nil {
		f = fault(call)
	}
	if f != nil && f.Wait > 0 {
		select {
		case <-r.Context().Done():
		case <-time.After(f.Wait):
		}
	}
	switch {
	case f != nil && f.Status != 0:
		for k, v := range f.Header {
			w.Header()[k] = v
		}
		refuse(w, f.Status, f.Code)
	case key == "":
		s.list(w, r, bucket)
	default:
		s.get(w, r, bucket+"/"+key, f)
	}
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>%s</Code><Message>%s, says the test</Message><RequestId>R1</RequestId></Error>`, code, code)
}

func (s *S3) get(w http.ResponseWriter, r *http.Request, at string, f *S3Fault) {
	s.mu.Lock()
	versions := s.objects[at]
	s.mu.Unlock()
	want := r.URL.Query().Get("versionId")
	o, ok := object{}, false
	for _, v := range versions {
		if want == "" || v.version == want {
			o, ok = v, true
		}
	}
	switch {
	case !ok && want != "":
		refuse(w, http.StatusNotFound, "NoSuchVersion")
		return
	case !ok || o.deleted:
		refuse(w, http.StatusNotFound, "NoSuchKey")
		return
	}
	if match := r.Header.Get("If-Match"); match != "" && match != `"`+o.etag+`"` {
		refuse(w, http.StatusPreconditionFailed, "PreconditionFailed")
		return
	}
	from := 0
	if text, found := strings.CutPrefix(r.Header.Get("Range"), "bytes="); found {
		from, _ = strconv.Atoi(strings.TrimSuffix(text, "-"))
	}
	h := w.Header()
	for k, v := range o.meta {
		h.Set("X-Amz-Meta-"+k, v)
	}
	h.Set("ETag", `"`+o.etag+`"`)
	h.Set("X-Amz-Version-Id", o.version)
	h.Set("Last-Modified", o.modified.UTC().Format(http.TimeFormat))
	h.Set("Content-Length", strconv.Itoa(len(o.data)-from))
	if from > 0 {
		h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(o.data)-1, len(o.data)))
		w.WriteHeader(http.StatusPartialContent)
	}
	body := o.data[from:]
	if f != nil && f.Cut > 0 && f.Cut < len(body) {
		body = body[:f.Cut]
	}
	if _, err := w.Write(body); err != nil || len(body) < len(o.data)-from {
		w.(http.Flusher).Flush() // The client must see the beginning of what breaks off.
		panic(http.ErrAbortHandler)
	}
}

type listing struct {
	XMLName               xml.Name `xml:"ListBucketResult"`
	IsTruncated           bool
	NextContinuationToken string `xml:",omitempty"`
	Contents              []listed
	CommonPrefixes        []struct{ Prefix string }
}

type listed struct {
	Key          string
	LastModified string
	ETag         string
	Size         int
}

func (s *S3) list(w http.ResponseWriter, r *http.Request, bucket string) {
	q := r.URL.Query()
	prefix, delimiter := q.Get("prefix"), q.Get("delimiter")
	after := max(q.Get("start-after"), q.Get("continuation-token"))
	s.mu.Lock()
	var keys []string
	for at, versions := range s.objects {
		if b, key, _ := strings.Cut(at, "/"); b == bucket && strings.HasPrefix(key, prefix) && key > after && !versions[len(versions)-1].deleted {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	var out listing
	seen := ""
	for _, key := range keys {
		if len(out.Contents)+len(out.CommonPrefixes) == s.page {
			out.IsTruncated = true
			break
		}
		if i := strings.Index(key[len(prefix):], delimiter); delimiter != "" && i >= 0 {
			common := key[:len(prefix)+i+1]
			if common != seen && common > after {
				out.CommonPrefixes = append(out.CommonPrefixes, struct{ Prefix string }{common})
			}
			seen = common
			out.NextContinuationToken = common[:len(common)-1] + "0" // the first key behind all of them
			continue
		}
		o := s.objects[bucket+"/"+key]
		last := o[len(o)-1]
		out.Contents = append(out.Contents, listed{key, last.modified.UTC().Format(time.RFC3339), `"` + last.etag + `"`, len(last.data)})
		out.NextContinuationToken = key
	}
	s.mu.Unlock()
	if !out.IsTruncated {
		out.NextContinuationToken = ""
	}
	w.Header().Set("Content-Type", "application/xml")
	if err := xml.NewEncoder(w).Encode(out); err != nil {
		panic(err)
	}
}
