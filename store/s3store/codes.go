package s3store

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/otelcol-custody/custody/store"
)

// A meaning is what a code says about store and caller.
type meaning struct {
	class error
	hint  string
}

// meanings of error codes: Amazon S3's "Error responses", and those of MinIO,
// Ceph and versitygw. Others are sorted by their status.
var meanings = map[string]meaning{
	"NoSuchKey":     {store.ErrNotFound, ""},
	"NotFound":      {store.ErrNotFound, ""},
	"NoSuchVersion": {store.ErrNotFound, ""},

	"NoSuchBucket":                       {store.ErrUnfit, "; bucket: it doesn't exist there: create it, or correct bucket, region or endpoint"},
	"InvalidBucketName":                  {store.ErrUnfit, "; bucket: that is no bucket's name"},
	"PermanentRedirect":                  {store.ErrUnfit, "; region: the bucket is in another one, or needs another endpoint"},
	"MovedPermanently":                   {store.ErrUnfit, "; region: the bucket is in another one, or needs another endpoint"},
	"AuthorizationHeaderMalformed":       {store.ErrUnfit, "; region: set the bucket's"},
	"IllegalLocationConstraintException": {store.ErrUnfit, "; region: set the bucket's"},
	"InvalidStorageClass":                {store.ErrUnfit, "; storage_class: the store doesn't know it"},
	"InvalidTag":                         {store.ErrUnfit, "; tags: the store doesn't take these"},
	"NotImplemented":                     {store.ErrUnfit, "; the store cannot do that"},
	"EntityTooLarge":                     {store.ErrUnfit, "; the store doesn't take objects of this size"},
	"InvalidObjectState":                 {store.ErrUnavailable, "; the object is archived: restore it first"},

	"QuotaExceeded":                  {store.ErrFull, "; raise the quota"},
	"XMinioStorageFull":              {store.ErrFull, "; add storage"},
	"XMinioAdminBucketQuotaExceeded": {store.ErrFull, "; raise the bucket's quota"},
	"InsufficientStorage":            {store.ErrFull, "; add storage"},

	"InvalidAccessKeyId":    {store.ErrDenied, "; access_key_id: the store doesn't know it"},
	"SignatureDoesNotMatch": {store.ErrDenied, "; secret_access_key: it doesn't belong to the access key"},
	"ExpiredToken":          {store.ErrDenied, "; the credentials have expired: renew them"},
	"InvalidToken":          {store.ErrDenied, "; session_token: the store refuses it"},
	"TokenRefreshRequired":  {store.ErrDenied, "; the credentials have expired: renew them"},
	"RequestTimeTooSkewed":  {store.ErrDenied, "; this machine's clock is wrong: set it"},

	"RequestTimeout":            {store.ErrUnavailable, ""},
	"SlowDown":                  {store.ErrUnavailable, ""},
	"OperationAborted":          {store.ErrUnavailable, ""},
	codeConflict:                {store.ErrUnavailable, ""},
	codeNoUpload:                {store.ErrUnavailable, ""},
	"BadDigest":                 {store.ErrUnavailable, "; the bytes were altered on their way"},
	"XAmzContentSHA256Mismatch": {store.ErrUnavailable, "; the bytes were altered on their way"},

	"ObjectLockConfigurationNotFoundError": {store.ErrRetention, lockHint},
	"InvalidBucketState":                   {store.ErrRetention, lockHint},
	"InvalidRetentionPeriod":               {store.ErrRetention, ""},
}

const lockHint = "; bucket: it has no object lock; enable Object Lock (with versioning) on it, or use a bucket made with it"

// aboutLock finds what stores say with general codes, such as InvalidRequest
// or InvalidArgument.
var aboutLock = regexp.MustCompile(`object[ -]?lock|retain|retention|worm protected`)

// meaningOf sorts an answer that isn't a success.
func (s *Store) meaningOf(code string, status int, message string, do action) meaning {
	if m, ok := meanings[code]; ok {
		return m
	}
	switch lower := strings.ToLower(code + " " + message); {
	case status == 507 || strings.Contains(code, "Quota"):
		return meaning{store.ErrFull, "; add storage or raise the quota"}
	case strings.HasPrefix(code, "KMS."):
		return meaning{store.ErrDenied, "; kms_key: check that the key exists, is enabled and allows kms:GenerateDataKey and kms:Decrypt"}
	case status == 401 || status == 403:
		return meaning{store.ErrDenied, s.deniedHint(do)}
	case status == 405 && do == readingOld:
		return meaning{store.ErrNotFound, ""} // a delete marker
	case code == "MethodNotAllowed":
		return meaning{store.ErrUnfit, "; the store cannot do that"}
	case status == 429 || status >= 500 && status != 501 || strings.Contains(code, "Throttl"):
		return meaning{store.ErrUnavailable, ""}
	case status == 501:
		return meaning{store.ErrUnfit, "; the store cannot do that"}
	case status == 400 && aboutLock.MatchString(lower):
		return meaning{store.ErrRetention, ""}
	}
	// A code that nobody here knows: only what is known is a definite no.
	return meaning{store.ErrUnavailable, ""}
}

func (s *Store) deniedHint(do action) string {
	hint := fmt.Sprintf("; the caller needs %s", do.permission)
	switch do {
	case writing:
		hint += ", and s3:PutObjectRetention, s3:PutObjectLegalHold, s3:PutObjectTagging for what is set with the object"
	case reading, describing:
		hint += " (and s3:ListBucket, or else missing objects look forbidden)"
	}
	if s.opt.KMSKeyID != "" && (do == writing || do == reading) {
		hint += ", and kms:GenerateDataKey and kms:Decrypt on kms_key"
	}
	if s.opt.BucketOwner != "" {
		hint += "; or the bucket isn't owned by bucket_owner"
	}
	return hint
}
