package awsclient

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// A Kind is what an error of a call means for the caller.
type Kind int

// The kinds of errors. What is none of the others passes: another attempt makes sense.
const (
	Passing     Kind = iota
	Throttled        // too many calls: wait longer
	Denied           // this caller may not, or not see whether there is anything
	Credentials      // there are none, or they are no longer good
	Missing          // what was asked for does not exist
	Changed          // what was asked for is not what it was
	Archived         // it lies in cold storage, and has to be restored first
	Refused          // the call itself is wrong: another attempt gets the same answer
)

var kinds = map[string]Kind{
	"SlowDown": Throttled, "Throttling": Throttled, "ThrottlingException": Throttled, "ThrottledException": Throttled,
	"RequestThrottled": Throttled, "RequestThrottledException": Throttled, "TooManyRequestsException": Throttled,
	"RequestLimitExceeded": Throttled, "BandwidthLimitExceeded": Throttled, "OverLimit": Throttled,
	"KMS.ThrottlingException": Throttled, "ServiceUnavailable": Throttled,

	"AccessDenied": Denied, "AccessDeniedException": Denied, "AllAccessDisabled": Denied, "UnauthorizedOperation": Denied,
	"KMS.AccessDeniedException": Denied, "KMS.DisabledException": Denied, "KMS.NotFoundException": Denied, "KMS.KMSInvalidStateException": Denied,
	// Not the object is missing but the place: the operator has to look.
	"NoSuchBucket":   Denied,
	"AccountProblem": Denied, "NotSignedUp": Denied, "InvalidObjectOwner": Denied,

	"ExpiredToken": Credentials, "ExpiredTokenException": Credentials, "TokenRefreshRequired": Credentials, "RequestExpired": Credentials,
	"InvalidAccessKeyId": Credentials, "InvalidClientTokenId": Credentials, "UnrecognizedClientException": Credentials,
	"SignatureDoesNotMatch": Credentials, "InvalidToken": Credentials, "InvalidSignatureException": Credentials,
	"RequestTimeTooSkewed": Credentials, "IncompleteSignature": Credentials, "MissingAuthenticationToken": Credentials,

	"NoSuchKey": Missing, "NoSuchVersion": Missing, "MethodNotAllowed": Missing,
	"AWS.SimpleQueueService.NonExistentQueue": Missing, "QueueDoesNotExist": Missing,
	"PreconditionFailed": Changed, "InvalidObjectState": Archived,
	// Said with the status of a wrong call, and passing all the same.
	"RequestTimeout": Passing, "RequestTimeoutException": Passing, "IncompleteBody": Passing, "OperationAborted": Passing,
}

// KindOf sorts an error of a call by its code, and where there is none by its status. That
// something does not exist takes a code: any proxy on the way answers 404.
func KindOf(err error) Kind {
	if ofCredentials(err) {
		return Credentials
	}
	if api := smithy.APIError(nil); errors.As(err, &api) {
		if k, ok := kinds[api.ErrorCode()]; ok {
			return k
		}
	}
	var answer *smithyhttp.ResponseError
	if errors.As(err, &answer) {
		return byStatus(answer.HTTPStatusCode())
	}
	return Passing
}

// ofCredentials reports whether a call did not come about since there are no credentials
// for it: none were found, or the role could not be assumed, whatever the reason.
func ofCredentials(err error) bool {
	for e := err; e != nil; e = errors.Unwrap(e) {
		if op, ok := e.(*smithy.OperationError); ok && op.Service() == sts.ServiceID {
			return true
		}
		if text := e.Error(); strings.HasPrefix(text, "get identity: ") || strings.HasPrefix(text, "get credentials: ") {
			return true
		}
	}
	return false
}

func byStatus(code int) Kind {
	switch code {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return Throttled
	case http.StatusForbidden:
		return Denied
	case http.StatusUnauthorized:
		return Credentials
	case http.StatusPreconditionFailed:
		return Changed
	case http.StatusBadRequest:
		return Refused
	}
	return Passing
}

// Explain returns err, led by what was done and followed by what the operator can do.
// what is a phrase such as "read s3://bucket/key"; action the permission it takes.
func Explain(err error, what, action string) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	short := err
	if api := smithy.APIError(nil); errors.As(err, &api) {
		short = fmt.Errorf("%s: %s", api.ErrorCode(), api.ErrorMessage())
	}
	hint := hints[codeOf(err)]
	switch kind := KindOf(err); {
	case hint != "":
	case kind == Denied:
		hint = "; the policy of this caller, of the bucket or queue, or of the KMS key does not allow " + action + " (docs/aws.md has policies that do)"
	case kind == Credentials:
		hint = "; the AWS credentials are missing, wrong or expired: look at profile, role_arn and access_key_id, at the role's trust policy and at this machine's clock"
	case kind == Throttled:
		hint = "; AWS asks for fewer calls: it is tried again more slowly"
	case kind == Archived:
		hint = "; the object was moved to an archive: restore it, and it is read"
	}
	return &explained{text: what + ": " + short.Error() + hint, err: err}
}

// hints are for codes that the kind says too little of.
var hints = map[string]string{
	"NoSuchBucket": "; look at the bucket's name, and at the account and partition of the credentials",
	"AWS.SimpleQueueService.NonExistentQueue": "; look at sqs::queue_url, and at region if it is set",
	"QueueDoesNotExist":                       "; look at sqs::queue_url, and at region if it is set",
}

func codeOf(err error) string {
	if api := smithy.APIError(nil); errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// explained has a text for people and keeps the error for [KindOf].
type explained struct {
	text string
	err  error
}

func (e *explained) Error() string { return e.text }
func (e *explained) Unwrap() error { return e.err }
