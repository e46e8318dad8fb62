package gcsstore

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"cloud.google.com/go/auth"
	"cloud.google.com/go/storage"
	"google.golang.org/api/googleapi"

	"github.com/otelcol-custody/custody/store"
)

// enable says how a bucket gets per-object retention.
const enable = "make the bucket with per-object retention (gcloud storage buckets create --enable-per-object-retention), or enable it on the bucket's Protection tab in the console"

// fail gives an error its class and a message. It does not wrap the client's
// error, whose text may hold an upload's URL, which is as good as a key.
func (s *Store) fail(ctx context.Context, doing string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %s: %w", s.id, doing, ctx.Err())
	}
	why, class := s.classify(err)
	return fmt.Errorf("%w: %s: %s: %s", class, s.id, doing, redact(why))
}

// alien is what an answer fails with that something between here and the
// server gave: it says nothing about bucket or object.
const alien = "the answer is not Cloud Storage's: is there a proxy or portal in between?"

func (s *Store) notCloudStorage(doing string) error {
	return fmt.Errorf("%w: %s: %s: %s", store.ErrUnavailable, s.id, doing, alien)
}

// genuine reports whether an answer that isn't success explains itself as
// Cloud Storage does, in JSON or XML.
func genuine(e *googleapi.Error) bool {
	if explained(e) {
		return true
	}
	var parsed *googleapi.Error // Of reading, the client doesn't parse errors.
	answer := &http.Response{StatusCode: e.Code}
	if errors.As(googleapi.CheckResponseWithBody(answer, []byte(e.Body)), &parsed) && explained(parsed) {
		return true
	}
	x, ok := inXML(e.Body)
	return ok && x.Code != ""
}

func explained(e *googleapi.Error) bool { return len(e.Errors) > 0 || e.Message != "" }

// classify returns one of package store's errors and says why, in a sentence.
func (s *Store) classify(err error) (why string, class error) {
	var api *googleapi.Error
	var token *tokenError
	switch {
	case errors.As(err, &token):
		return classifyToken(token.err)
	case errors.As(err, &api) && !genuine(api):
		return fmt.Sprintf("%s (it answers %d)", alien, api.Code), store.ErrUnavailable
	case errors.Is(err, storage.ErrBucketNotExist):
		return noBucket, store.ErrUnfit
	case errors.As(err, &api):
		return s.classifyAnswer(api)
	case errors.Is(err, storage.ErrObjectNotExist):
		return "no such object", store.ErrNotFound
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time", store.ErrUnavailable
	}
	return plain(err), store.ErrUnavailable
}

const noBucket = "bucket: there is no bucket of this name; make it, or correct the name"

// plain is an error's text without the URL that was asked.
func plain(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err.Error()
	}
	return err.Error()
}

// classifyToken is for errors of getting a token.
func classifyToken(err error) (why string, class error) {
	const hint = "; check credentials_file, impersonate_service_account or the machine's own credentials (gcloud auth application-default login)"
	var refused *auth.Error
	var net *url.Error
	switch {
	case errors.As(err, &refused) && refused.Response != nil:
		why = fmt.Sprintf("the token service answers %d", refused.Response.StatusCode)
		if refused.Temporary() || refused.Response.StatusCode >= 500 {
			return why, store.ErrUnavailable
		}
		return why + hint, store.ErrDenied
	case errors.As(err, &net):
		return "the token service cannot be reached: " + net.Err.Error(), store.ErrUnavailable
	case temporaryToken.MatchString(err.Error()):
		return "the token service cannot answer now", store.ErrUnavailable
	}
	return plain(err) + hint, store.ErrDenied
}

// temporaryToken recognises impersonation that failed for the time being, of
// which the client only keeps text.
var temporaryToken = regexp.MustCompile(`status code (5\d\d|429)`)

// classifyAnswer is for answers that aren't success, by Google's page "HTTP
// status and error codes for JSON".
func (s *Store) classifyAnswer(e *googleapi.Error) (why string, class error) {
	said, reason := words(e)
	why = fmt.Sprintf("the server answers %d: %s", e.Code, said)
	lower := strings.ToLower(s.unnamed(said))
	permission := strings.Contains(lower, "does not have") || strings.Contains(lower, "permission")
	retention := strings.Contains(lower, "retention") || reason == "objectUnderActiveHold"
	switch {
	case strings.Contains(lower, "requester pays"):
		return why + "; set user_project to the project that pays", store.ErrUnfit
	case e.Code == http.StatusForbidden && (strings.Contains(reason, "ateLimitExceeded") || reason == "quotaExceeded"):
		return why, store.ErrUnavailable
	case isRetention(e.Code) && retention && !permission:
		return why + "; " + enable, store.ErrRetention
	case e.Code == http.StatusUnauthorized || e.Code == http.StatusForbidden:
		return why, store.ErrDenied
	case e.Code == http.StatusNotFound && strings.Contains(lower, "bucket does not exist"):
		return noBucket, store.ErrUnfit
	case e.Code == http.StatusNotFound:
		return "no such object", store.ErrNotFound
	case e.Code == http.StatusBadRequest && (strings.Contains(lower, "crc32c") || strings.Contains(lower, "md5")):
		return why + "; bytes were damaged on the way", store.ErrUnavailable
	case e.Code == http.StatusBadRequest && definite[reason], e.Code == http.StatusNotImplemented:
		return why, store.ErrUnfit
	}
	return why, store.ErrUnavailable
}

// definite are the reasons of a 400 that stay until somebody changes a setting.
var definite = map[string]bool{
	"invalid": true, "invalidParameter": true, "invalidArgument": true, "required": true, "parseError": true,
	"keyInvalid": true, "InvalidArgument": true, "InvalidBucketName": true,
}

// unnamed cuts names out of what a server says: they can hold any word.
func (s *Store) unnamed(said string) string {
	said = aPath.ReplaceAllString(said, "")
	for _, name := range []string{s.opt.Bucket, strings.Trim(s.base, "/")} {
		if name != "" {
			said = strings.ReplaceAll(said, name, "")
		}
	}
	return said
}

// aPath is an object's name: they are quoted with their bucket's.
var aPath = regexp.MustCompile(`[^\s']*/[^\s']*`)

func isRetention(code int) bool {
	return code == http.StatusBadRequest || code == http.StatusForbidden || code == http.StatusConflict
}

// xmlError is a refusal by the interface for reading.
type xmlError struct {
	XMLName                xml.Name `xml:"Error"`
	Code, Message, Details string
}

func inXML(body string) (x xmlError, ok bool) {
	return x, xml.Unmarshal([]byte(body), &x) == nil
}

// words are what an answer says, in JSON or XML, and Google's word for it.
func words(e *googleapi.Error) (said, reason string) {
	if len(e.Errors) > 0 {
		reason = e.Errors[0].Reason
	}
	x, ok := inXML(e.Body)
	switch {
	case e.Message != "":
		said = e.Message
	case ok && x.Code != "":
		said, reason = strings.TrimSpace(x.Message+" "+x.Details), x.Code
	default:
		said = http.StatusText(e.Code)
	}
	if reason != "" {
		said += " (" + reason + ")"
	}
	return said, reason
}

// secret is what tokens look like, should an answer repeat the request.
var secret = regexp.MustCompile(`(?i)(bearer\s+|ya29\.|upload_id=|access_token["=: ]+)[^\s"&]+`)

// redact takes out tokens, and what would disturb or flood a terminal.
func redact(text string) string {
	const most = 400
	text = secret.ReplaceAllString(text, "${1}REDACTED")
	text = strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f || r == '\ufffd' {
			return ' '
		}
		return r
	}, text)
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

// status is the status code that a call ended with, or 0.
func status(err error) int {
	var api *googleapi.Error
	if errors.As(err, &api) {
		return api.Code
	}
	return 0
}
