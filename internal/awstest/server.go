package awstest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// What clients of the servers use. The account is invented.
const (
	Region    = "eu-central-1"
	Account   = "111122223333"
	AccessKey = "custody-test"
	SecretKey = "custody-test-secret"
)

// settle is how long a server waits before it does anything. The SDK closes a request's
// body as soon as an answer begins; if net/http is then still at its end, as it may be with
// an answer that takes microseconds, it breaks the connection and the answer is lost. Real
// services are never that fast.
const settle = time.Millisecond

// maxRequest bounds a request; SQS takes batches of 1 MiB, with JSON around them.
const maxRequest = 8 << 20

// A Call is one request to a server.
type Call struct {
	Action    string // the API's name for it, such as ReceiveMessage
	Queue     string // the queue's name; empty elsewhere
	AccessKey string // who signed the request; empty if nobody did
	Number    int    // from 1, of this action
}

// action does what a request asks for. Its result becomes JSON; an error that is no
// [*Fault] is a mistake of this package.
type action func(r *http.Request, body []byte) (any, error)

// server answers AWS's JSON protocols 1.0 and 1.1.
// https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html
type server struct {
	// Endpoint is http://127.0.0.1:PORT, without a path.
	Endpoint string

	service string // as IAM names it
	target  string // before the action in X-Amz-Target
	version string // of the protocol
	actions map[string]action
	http    *httptest.Server
	client  *http.Client
	ended   chan struct{} // closed when the test ends

	mu     sync.Mutex // guards what follows
	calls  []Call
	counts map[string]int // of calls, by action
	fault  func(Call) error
}

func (s *server) start(t testing.TB) {
	s.ended, s.counts = make(chan struct{}), map[string]int{}
	s.http = httptest.NewServer(s)
	s.Endpoint = s.http.URL
	s.client = newClient()
	t.Cleanup(func() {
		close(s.ended)
		s.http.CloseClientConnections()
		s.http.Close()
		s.client.CloseIdleConnections()
	})
}

// Config is a client's: static credentials and one attempt for each call, so that a test
// sees every fault. The endpoint is in it.
func (s *server) Config() aws.Config {
	return aws.Config{
		Region: Region, BaseEndpoint: aws.String(s.Endpoint), HTTPClient: s.client,
		Credentials: credentials.NewStaticCredentialsProvider(AccessKey, SecretKey, ""),
		Retryer:     func() aws.Retryer { return aws.NopRetryer{} },
	}
}

// SetFault has every later call ask f first: an error is the answer. See [Fault],
// [ErrHang] and [ErrAnswerLost]. f may be called by several goroutines; nil is no fault.
func (s *server) SetFault(f func(Call) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = f
}

// Calls returns every call so far, in the order in which they came.
func (s *server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// Actions returns what IAM must allow for the calls so far, such as
// "sqs:ReceiveMessage", sorted. A batch needs the right of its single action.
func (s *server) Actions() []string {
	var all []string
	for _, c := range s.Calls() {
		all = append(all, s.service+":"+strings.TrimSuffix(c.Action, "Batch"))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

var credential = regexp.MustCompile(`^AWS4-HMAC-SHA256 Credential=([^/]+)/[0-9]{8}/[^/]+/([a-z]+)/aws4_request`)

// ServeHTTP implements [http.Handler].
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		return // The client went away, or sent what no client of AWS sends.
	}
	name, known := strings.CutPrefix(r.Header.Get("X-Amz-Target"), s.target+".")
	do := s.actions[name]
	if !known || do == nil {
		s.answer(w, nil, &Fault{Status: 400, Code: "UnknownOperationException", Message: "not in this server: " + r.Header.Get("X-Amz-Target")})
		return
	}
	call, fault := s.note(name, r, body)
	if fault == nil && call.AccessKey == "" {
		fault = &Fault{Status: 403, Code: "MissingAuthenticationToken", Message: "the request is not signed for " + s.service}
	}
	switch {
	case errors.Is(fault, ErrHang):
		s.hang(r)
		return
	case fault != nil && !errors.Is(fault, ErrAnswerLost):
		s.answer(w, nil, fault)
		return
	}
	time.Sleep(settle)
	out, err := do(r, body)
	if fault != nil {
		panic(http.ErrAbortHandler) // The answer is lost: the connection breaks.
	}
	s.answer(w, out, err)
}

// note writes a call down and asks whether it shall fail.
func (s *server) note(name string, r *http.Request, body []byte) (Call, error) {
	var in struct{ QueueUrl, QueueName string }
	_ = json.Unmarshal(body, &in) // What is wrong with it the action says.
	call := Call{Action: name, Queue: in.QueueName}
	if in.QueueUrl != "" {
		call.Queue = in.QueueUrl[strings.LastIndexByte(in.QueueUrl, '/')+1:]
	}
	if m := credential.FindStringSubmatch(r.Header.Get("Authorization")); m != nil && m[2] == s.service {
		call.AccessKey = m[1]
	}
	s.mu.Lock()
	s.counts[name]++
	call.Number = s.counts[name]
	s.calls = append(s.calls, call)
	fault := s.fault
	s.mu.Unlock()
	if fault == nil {
		return call, nil
	}
	return call, fault(call)
}

// hang waits until the client or the test has had enough.
func (s *server) hang(r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-s.ended:
	}
	panic(http.ErrAbortHandler)
}

func (s *server) answer(w http.ResponseWriter, out any, err error) {
	w.Header().Set("Content-Type", "application/x-amz-json-"+s.version)
	w.Header().Set("X-Amzn-Requestid", "00000000-0000-4000-8000-000000000000")
	if err == nil {
		if out != nil {
			_ = json.NewEncoder(w).Encode(out) // The client may be gone.
		}
		return
	}
	var fault *Fault
	if !errors.As(err, &fault) {
		fault = &Fault{Status: 500, Code: "InternalFailure", Message: err.Error()}
	}
	if query := queryCodes[fault.Code]; query != "" {
		w.Header().Set("X-Amzn-Query-Error", query+";Sender")
	}
	w.WriteHeader(fault.Status)
	_ = json.NewEncoder(w).Encode(map[string]string{"__type": fault.Code, "message": fault.Message})
}

// typed makes an action of a function over its input. A member that the function does
// not know is refused.
func typed[In any](do func(r *http.Request, in In) (any, error)) action {
	return func(r *http.Request, body []byte) (any, error) {
		var in In
		dec := json.NewDecoder(bytes.NewReader(body))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&in); err != nil {
			return nil, &Fault{Status: 400, Code: "SerializationException", Message: fmt.Sprintf("not in this server: %v", err)}
		}
		return do(r, in)
	}
}
