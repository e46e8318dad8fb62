package s3store

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/otelcol-custody/custody/store"
)

// An action says in messages what was tried and what it needs.
type action struct {
	verb, permission string
	ofObject         bool // which may be missing
}

var (
	writing    = action{"write", "s3:PutObject", false}
	reading    = action{"read", "s3:GetObject", true}
	readingOld = action{"read a version of", "s3:GetObjectVersion", true}
	describing = action{"describe", "s3:GetObject", true}
	listing    = action{"list", "s3:ListBucket", false}
	listingOld = action{"list the versions of", "s3:ListBucketVersions", false}
	retaining  = action{"retain", "s3:PutObjectRetention", true}
	holding    = action{"put a legal hold on", "s3:PutObjectLegalHold", true}
	askingLock = action{"read the retention of", "s3:GetObjectRetention", true}
	askingHold = action{"read the legal hold of", "s3:GetObjectLegalHold", true}
	askingRule = action{"read the object lock settings of", "s3:GetBucketObjectLockConfiguration", false}
	breaking   = action{"try to delete or release", "s3:DeleteObjectVersion", true}
)

// Codes of the protocol that decide what happens next.
const (
	codeTaken    = "PreconditionFailed"
	codeDenied   = "AccessDenied"
	codeConflict = "ConditionalRequestConflict"
	codeNoUpload = "NoSuchUpload"
)

// A failure is an error of the store, sorted. It doesn't wrap the SDK's error,
// whose text and kind aren't ours to vouch for.
type failure struct {
	class  error  // of package store; nil if none applies
	ctx    error  // why the context ended, if it did
	code   string // the store's word; empty if it didn't answer
	status int    // HTTP; 0 if it didn't answer
	text   string
}

func (f *failure) Error() string {
	if f.class == nil {
		return f.text
	}
	return f.class.Error() + ": " + f.text
}

func (f *failure) Unwrap() []error {
	var errs []error
	for _, err := range []error{f.class, f.ctx} {
		if err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

// hasCode reports whether the store answered with one of these codes.
func hasCode(err error, codes ...string) bool {
	f, ok := errors.AsType[*failure](err)
	for _, code := range codes {
		if ok && f.code == code {
			return true
		}
	}
	return false
}

// hasStatus reports whether the store answered with one of these, or at all.
func hasStatus(err error, status ...int) bool {
	f, ok := errors.AsType[*failure](err)
	return ok && f.status != 0 && (len(status) == 0 || slices.Contains(status, f.status))
}

// unknownRefusal reports whether the store refused the request in words that
// nobody here knows.
func unknownRefusal(err error) bool {
	f, ok := errors.AsType[*failure](err)
	if !ok || f.status/100 != 4 || f.status == http.StatusTooManyRequests {
		return false
	}
	_, known := meanings[f.code]
	return !known
}

// fail sorts an error of the SDK. what is a name, or empty for the bucket.
func (s *Store) fail(ctx context.Context, do action, what string, err error) error {
	if err == nil {
		return nil
	}
	subject := s.id
	if what != "" {
		subject = what + " in " + s.id
	}
	f := &failure{}
	if f.ctx = ctx.Err(); f.ctx != nil {
		f.text = fmt.Sprintf("%s %s: %v", do.verb, subject, f.ctx)
		return f
	}
	var hint string
	if lost, ok := errors.AsType[credentialError](err); ok {
		m := sortCredentials(lost)
		f.class, hint = m.class, m.hint
	} else {
		hint = s.sort(f, do, what, err)
	}
	f.text = fmt.Sprintf("%s %s: %s%s", do.verb, subject, s.describe(f, err), hint)
	return f
}

// sort sets class, code and status, and returns a hint for the operator.
func (s *Store) sort(f *failure, do action, what string, err error) string {
	if _, ok := errors.AsType[*foreign](err); ok {
		f.class = store.ErrUnavailable
		return ""
	}
	response, answered := errors.AsType[*smithyhttp.ResponseError](err)
	api, coded := errors.AsType[smithy.APIError](err)
	var header http.Header
	if answered && response.Response != nil {
		f.status, header = response.HTTPStatusCode(), response.Response.Header
	}
	if !coded || f.status == 0 {
		f.class = store.ErrUnavailable
		return s.reachHint(err)
	}
	f.code = api.ErrorCode()
	if region := header.Get("X-Amz-Bucket-Region"); region != "" && region != s.client.Options().Region && aboutRegion(f) {
		f.class = store.ErrUnfit
		return fmt.Sprintf("; region: the bucket is in %s, set that", region)
	}
	m := s.meaningOf(f.code, f.status, s.unnamed(api.ErrorMessage(), what), do)
	f.class = m.class
	if f.class == store.ErrNotFound && !do.ofObject {
		f.class = store.ErrUnavailable // What is written or listed cannot be missing.
	}
	return m.hint
}

// aboutRegion reports whether the answer is one that S3 gives to requests for
// another region; that to HEAD has no code of its own.
func aboutRegion(f *failure) bool {
	return f.status == 301 || f.status == 400 &&
		(f.code == "BadRequest" || f.code == "AuthorizationHeaderMalformed" || f.code == "IllegalLocationConstraintException")
}

// reachHint is for requests that got no answer of the protocol.
func (s *Store) reachHint(err error) string {
	var cert *tls.CertificateVerificationError
	var parse *smithy.DeserializationError
	switch {
	case errors.As(err, &cert):
		return "; the endpoint's certificate isn't trusted here: install its authority's certificate (AWS_CA_BUNDLE)"
	case errors.As(err, &parse):
		return "; the answer isn't S3's: check the endpoint and any proxy"
	}
	return "; check endpoint, name resolution and network"
}

// sortCredentials is for credentials that could not be had.
func sortCredentials(err error) meaning {
	const hint = "; no usable credentials: check profile, role_arn, access_key_id or the AWS_* variables of this process"
	api, coded := errors.AsType[smithy.APIError](err)
	if coded && api.ErrorFault() == smithy.FaultServer {
		return meaning{store.ErrUnavailable, ""}
	}
	// Without any source the chain ends at the instance's metadata, which
	// isn't there: that is a lack of credentials, not an outage.
	if !coded && !strings.Contains(err.Error(), "ec2imds") && errors.As(err, new(*smithyhttp.RequestSendError)) {
		return meaning{store.ErrUnavailable, ""}
	}
	return meaning{store.ErrDenied, hint}
}

// unnamed cuts names out of a message, which may hold any word.
func (s *Store) unnamed(message, what string) string {
	for _, name := range []string{what, s.prefix, s.opt.Bucket} {
		if name != "" {
			message = strings.ReplaceAll(message, name, "")
		}
	}
	return message
}

// describe tells what the store said, or why nothing came, without secrets.
func (s *Store) describe(f *failure, err error) string {
	var said string
	if api, ok := errors.AsType[smithy.APIError](err); ok && f.status != 0 {
		said = fmt.Sprintf("%s (%d)", api.ErrorCode(), f.status)
		if m := api.ErrorMessage(); m != "" && m != api.ErrorCode() {
			said += ": " + m
		}
	} else if other, ok := errors.AsType[*foreign](err); ok {
		said = other.Error()
	} else {
		said = err.Error()
	}
	return shown(s.opt.redact(said))
}

// redact takes out what must not reach a log, whoever put it in.
func (o Options) redact(text string) string {
	var pairs []string
	for _, secret := range []string{o.SecretAccessKey, o.SessionToken, o.AccessKeyID, o.ExternalID} {
		if secret != "" {
			pairs = append(pairs, secret, "***")
		}
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// shown makes foreign text harmless for terminals and logs.
func shown(text string) string {
	const most = 400
	text = strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

// cut is for a body that ended early or broke off.
func (s *Store) cut(ctx context.Context, name string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("read %s in %s: %w", name, s.id, ctx.Err())
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: read %s in %s: the answer broke off: %w", store.ErrUnavailable, name, s.id, io.ErrUnexpectedEOF)
	}
	return fmt.Errorf("%w: read %s in %s: %s", store.ErrUnavailable, name, s.id, shown(s.opt.redact(err.Error())))
}
