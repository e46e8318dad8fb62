package s3store

import (
	"bufio"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/otelcol-custody/custody/store"
)

// beginning is how much of an answer is looked at to see whose it is.
const beginning = 1 << 10 // bytes; an XML declaration and the first element

// roots are the elements that answers in XML consist of.
var roots = map[string]string{
	"ListObjectsV2":              "ListBucketResult",
	"ListObjectVersions":         "ListVersionsResult",
	"CreateMultipartUpload":      "InitiateMultipartUploadResult",
	"CompleteMultipartUpload":    "CompleteMultipartUploadResult",
	"GetObjectLockConfiguration": "ObjectLockConfiguration",
	"GetObjectRetention":         "Retention",
	"GetObjectLegalHold":         "LegalHold",
}

// foreign is an answer that something between here and the store gave: it says
// nothing about store or object. The SDK would take a sign-in page with status
// 200 for an object stored, and for an empty listing.
type foreign struct{ what string }

const foreignHint = "the answer is not S3's: is there a proxy or portal in between?"

func (e *foreign) Error() string { return foreignHint + " (" + e.what + ")" }

// onlyS3 refuses answers that don't look like S3's.
func onlyS3(o *s3.Options) {
	look := middleware.DeserializeMiddlewareFunc("custody:OnlyS3", func(
		ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
	) (middleware.DeserializeOutput, middleware.Metadata, error) {
		out, metadata, err := next.HandleDeserialize(ctx, in)
		response, ok := out.RawResponse.(*smithyhttp.Response)
		request, sent := in.Request.(*smithyhttp.Request)
		if err != nil || !ok || !sent {
			return out, metadata, err
		}
		if what := alien(awsmiddleware.GetOperationName(ctx), request.Method, response); what != "" {
			response.Body.Close()
			return out, metadata, &foreign{what}
		}
		return out, metadata, nil
	})
	o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
		return stack.Deserialize.Add(look, middleware.After)
	})
}

// alien says what is wrong with an answer, or nothing.
func alien(operation, method string, r *smithyhttp.Response) string {
	switch {
	case r.StatusCode/100 != 2:
		return alienRefusal(method, r)
	case operation == "GetObject" || operation == "HeadObject":
		if r.Header.Get("ETag") == "" || r.Header.Get("Last-Modified") == "" {
			return fmt.Sprintf("%d without ETag and Last-Modified", r.StatusCode)
		}
		return ""
	case method == http.MethodHead:
		return ""
	}
	root, page := rootOf(r)
	want := roots[operation]
	switch {
	case want != "" && root != want && (root != "Error" || operation != "CompleteMultipartUpload"):
		return fmt.Sprintf("%d without a %s", r.StatusCode, want)
	case page:
		return fmt.Sprintf("%d with a web page", r.StatusCode)
	case (operation == "PutObject" || operation == "UploadPart") && r.Header.Get("ETag") == "":
		return fmt.Sprintf("%d without an ETag", r.StatusCode)
	}
	return ""
}

// alienRefusal: S3 explains each refusal in XML, but to HEAD, and where it
// names the region that the bucket is in.
func alienRefusal(method string, r *smithyhttp.Response) string {
	if method == http.MethodHead || r.Header.Get("X-Amz-Bucket-Region") != "" {
		return ""
	}
	if root, _ := rootOf(r); root != "Error" {
		return fmt.Sprintf("%d without an error of S3", r.StatusCode)
	}
	return ""
}

// rootOf returns the name of the first element of an answer, and whether it is
// a web page, and leaves the answer unread.
func rootOf(r *smithyhttp.Response) (root string, page bool) {
	body := bufio.NewReaderSize(r.Body, beginning)
	begin, _ := body.Peek(beginning) // Who reads the rest sees the error.
	r.Body = struct {
		io.Reader
		io.Closer
	}{body, r.Body}
	page = strings.HasPrefix(http.DetectContentType(begin), "text/html")
	d := xml.NewDecoder(strings.NewReader(string(begin)))
	for {
		token, err := d.RawToken()
		if err != nil {
			return "", page
		}
		if e, ok := token.(xml.StartElement); ok {
			return e.Name.Local, page
		}
	}
}

// echoed refuses an answer to a write that doesn't speak of what was sent.
func (s *Store) echoed(name string, etag, sent, got *string) error {
	switch {
	case aws.ToString(etag) == "":
		return fmt.Errorf("%w: write %s in %s: %s (no ETag)", store.ErrUnavailable, name, s.id, foreignHint)
	case aws.ToString(got) != "" && sent != nil && *got != *sent:
		return fmt.Errorf("%w: write %s in %s: the store answers that it got other bytes, with the SHA-256 %s",
			store.ErrUnavailable, name, s.id, shown(*got))
	}
	return nil
}
