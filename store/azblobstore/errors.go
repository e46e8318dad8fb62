package azblobstore

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"

	"github.com/otelcol-custody/custody/store"
)

// exists are the codes by which a create-only write learns that something is
// there, or may be: a racing writer's commit discards uncommitted blocks, and
// a caller who may only create is refused what looks like an overwrite.
var exists = []bloberror.Code{
	bloberror.BlobAlreadyExists, bloberror.ConditionNotMet, bloberror.BlobImmutableDueToPolicy, immutableDueToHold,
	bloberror.UnauthorizedBlobOverwrite, bloberror.InvalidBlockList,
}

// immutableDueToHold is a code that the SDK doesn't name.
const immutableDueToHold = bloberror.Code("BlobImmutableDueToLegalHold")

// wormHint says what version-level policies need.
const wormHint = "enable version-level immutability support on the storage account or the container, with blob versioning, or drop the retention"

// fail reduces an error of the SDK to one sentence of the store's classes. The
// SDK's own errors print whole answers, and addresses with a SAS in them.
func (s *Store) fail(ctx context.Context, op string, err error) error {
	if ended := ctx.Err(); ended != nil {
		return fmt.Errorf("%s: %w", op, ended)
	}
	var answer *azcore.ResponseError
	if errors.As(err, &answer) {
		return fmt.Errorf("%s: %w", op, s.refusal(answer))
	}
	if denied := credentialError(err); denied != nil {
		return fmt.Errorf("%s: %w", op, denied)
	}
	return fmt.Errorf("%s: %w: %s: %s", op, store.ErrUnavailable, s.id, plain(err))
}

// refusal turns an answer into a sentence.
func (s *Store) refusal(e *azcore.ResponseError) error {
	said := answered(e)
	switch {
	case bloberror.HasCode(e, bloberror.BlobNotFound):
		return fmt.Errorf("%w (%s)", store.ErrNotFound, said)
	case bloberror.HasCode(e, bloberror.ContainerNotFound, bloberror.ContainerBeingDeleted, bloberror.ContainerDisabled):
		return fmt.Errorf("%w: container: there is no usable container %s at %s; make it first, with version-level immutability support (%s)",
			store.ErrUnfit, s.container, s.id, said)
	case e.StatusCode == http.StatusUnauthorized || e.StatusCode == http.StatusForbidden:
		return fmt.Errorf("%w: %s (%s)", store.ErrDenied, deniedHint(e), said)
	case bloberror.HasCode(e, bloberror.ResourceNotFound):
		return fmt.Errorf("%w: account_url or container: what answers for %s is no container of Azure Blob Storage that this caller may see (%s)",
			store.ErrUnfit, s.id, said)
	case full(e):
		return fmt.Errorf("%w: the storage account behind %s takes no more: free or raise its capacity (%s)", store.ErrFull, s.id, said)
	case passing(e):
		return fmt.Errorf("%w: %s (%s)", store.ErrUnavailable, s.id, said)
	case bloberror.HasCode(e, exists...), bloberror.HasCode(e, bloberror.ImmutabilityPolicyDeleteOnLockedPolicy):
		return fmt.Errorf("%w: the blob is immutable, or was changed meanwhile (%s)", store.ErrRetention, said)
	}
	if !definite(e) {
		return fmt.Errorf("%w: %s (%s)", store.ErrUnavailable, s.id, said)
	}
	return fmt.Errorf("%w: %s refused the request; check access_tier, encryption_scope, tags and retention (%s)", store.ErrUnfit, s.id, said)
}

// definite reports whether the same request fails until somebody changes a
// setting. Codes that nobody here knows are no definite no.
func definite(e *azcore.ResponseError) bool {
	if e.StatusCode == http.StatusNotImplemented {
		return e.ErrorCode != ""
	}
	return bloberror.HasCode(e, bloberror.InvalidHeaderValue, bloberror.InvalidInput, bloberror.InvalidMetadata, bloberror.InvalidResourceName,
		bloberror.InvalidURI, bloberror.InvalidBlobTier, bloberror.InvalidBlobType, bloberror.InvalidQueryParameterValue,
		bloberror.UnsupportedHeader, bloberror.UnsupportedQueryParameter, bloberror.UnsupportedHTTPVerb, bloberror.OutOfRangeInput,
		bloberror.MissingRequiredHeader, bloberror.RequestBodyTooLarge, bloberror.FeatureVersionMismatch, bloberror.EmptyMetadataKey) ||
		strings.HasPrefix(e.ErrorCode, "FeatureNot") || strings.Contains(e.ErrorCode, "EncryptionScope")
}

// passing reports whether the same request may succeed later.
func passing(e *azcore.ResponseError) bool {
	switch e.StatusCode {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return bloberror.HasCode(e, bloberror.MD5Mismatch, bloberror.OperationTimedOut, bloberror.ServerBusy)
}

// full: Azure documents no code of its own for an account at its capacity.
func full(e *azcore.ResponseError) bool {
	return e.StatusCode == http.StatusInsufficientStorage || strings.Contains(e.ErrorCode, "QuotaExceeded")
}

func deniedHint(e *azcore.ResponseError) string {
	switch bloberror.Code(e.ErrorCode) {
	case bloberror.AuthorizationPermissionMismatch, bloberror.InsufficientAccountPermissions, bloberror.AuthorizationResourceTypeMismatch,
		bloberror.AuthorizationServiceMismatch:
		return "the credentials are valid but lack a permission: a reader needs the role Storage Blob Data Reader (SAS: r, l), a writer " +
			"blobs/read, blobs/write and blobs/add/action, for retention blobs/immutableStorage/runAsSuperUser/action, for tags blobs/tags/write (SAS: r, l, c, w, i, t)"
	case bloberror.AuthorizationFailure, bloberror.AuthorizationSourceIPMismatch:
		return "the account's network rules keep this machine out, or the credentials of this store are not the account's; allow its network on the storage account, or mend them"
	case bloberror.AccountIsDisabled:
		return "the storage account is disabled"
	}
	return "the key, SAS or token is wrong or expired, or this machine's clock is off; check the credentials of this store"
}

// credentialError classifies failures to get a token. It returns nil for others.
func credentialError(err error) error {
	var failed *azidentity.AuthenticationFailedError
	var needed *azidentity.AuthenticationRequiredError
	switch {
	case errors.As(err, &failed) && failed.RawResponse == nil && offline(err.Error()),
		errors.As(err, &failed) && failed.RawResponse != nil && failed.RawResponse.StatusCode >= 500:
		return fmt.Errorf("%w: the identity service gave no token", store.ErrUnavailable)
	case errors.As(err, &failed):
		return fmt.Errorf("%w: the identity service refused a token; check tenant_id, client_id and the secret, identity or federation behind them", store.ErrDenied)
	case errors.As(err, &needed), strings.Contains(err.Error(), "Credential"):
		return fmt.Errorf("%w: no usable credential was found; set account_key, sas_token, connection_string or an identity", store.ErrDenied)
	}
	return nil
}

func offline(text string) bool {
	for _, sign := range []string{"dial tcp", "no such host", "connection re", "timeout", "no answer"} {
		if strings.Contains(text, sign) {
			return true
		}
	}
	return false
}

// answered is what to quote to the operator of the service.
func answered(e *azcore.ResponseError) string {
	said := fmt.Sprintf("%d %s", e.StatusCode, tidy(e.ErrorCode))
	if e.RawResponse != nil {
		if id := tidy(e.RawResponse.Header.Get("X-Ms-Request-Id")); id != "" {
			said += ", request " + id
		}
	}
	return said
}

// tidy keeps a server's word from disturbing a terminal or a log.
func tidy(word string) string {
	const most = 60
	word = strings.Map(func(r rune) rune {
		if r < 0x20 || r >= 0x7f {
			return -1
		}
		return r
	}, word)
	return word[:min(len(word), most)]
}

// secrets are query parameters and the like that no message may carry.
var secrets = regexp.MustCompile(`(?i)\?[^\s"]*|(sig|accountkey|sharedaccesssignature|client_secret|password|token|authorization)(=|:)[^\s"&;]*`)

// plain is the first line of an error, without addresses and secrets.
func plain(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	line, _, _ := strings.Cut(strings.TrimSpace(err.Error()), "\n")
	const most = 200
	line = secrets.ReplaceAllString(line, "")
	return line[:min(len(line), most)]
}
