package s3store

import (
	"bytes"
	"context"
	"encoding/xml"
	"io"
	"iter"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/otelcol-custody/custody/store"
)

// Versions implements [store.Store]. It doesn't tell retentions; Extend by
// nothing does, for one version. Where a store reports times in seconds and
// lists delete markers apart (versitygw), versions and markers of one second
// can change places below the newest.
func (s *Store) Versions(ctx context.Context, name string) ([]store.Info, error) {
	if err := s.ready(ctx, name); err != nil {
		return nil, err
	}
	return store.VersionsOf(s.versions(ctx, name, ""), name)
}

// versions lists all versions and delete markers, page by page.
func (s *Store) versions(ctx context.Context, prefix, after string) iter.Seq2[store.Info, error] {
	return func(yield func(store.Info, error) bool) {
		in := &s3.ListObjectVersionsInput{
			Bucket: s.bucket(), Prefix: optional(s.prefix + prefix), EncodingType: types.EncodingTypeUrl,
			ExpectedBucketOwner: s.owner(), RequestPayer: s.payer(),
		}
		if after != "" {
			in.KeyMarker = s.key(after)
		}
		var last store.Info
		for {
			infos, out, err := s.versionPage(ctx, in)
			if err != nil {
				yield(store.Info{}, err)
				return
			}
			for _, info := range infos {
				// versitygw begins a page with the end of the last one.
				if info.Name == last.Name && info.Version == last.Version && info.Name != "" {
					continue
				}
				last = info
				if !yield(info, nil) {
					return
				}
			}
			if !aws.ToBool(out.IsTruncated) {
				return
			}
			key, id := decoded(aws.ToString(out.NextKeyMarker), out.EncodingType), out.NextVersionIdMarker
			if key == "" || key == aws.ToString(in.KeyMarker) && aws.ToString(id) == aws.ToString(in.VersionIdMarker) {
				yield(store.Info{}, s.stuck())
				return
			}
			in.KeyMarker, in.VersionIdMarker = aws.String(key), id
		}
	}
}

func (s *Store) versionPage(ctx context.Context, in *s3.ListObjectVersionsInput) ([]store.Info, *s3.ListObjectVersionsOutput, error) {
	var order []bool
	out, err := s.client.ListObjectVersions(ctx, in, noting(&order))
	if err != nil {
		return nil, nil, s.fail(ctx, listingOld, "", err)
	}
	var infos []store.Info
	versions, markers := out.Versions, out.DeleteMarkers
	for _, marker := range order {
		switch {
		case marker && len(markers) > 0:
			m := markers[0]
			markers = markers[1:]
			latest := aws.ToBool(m.IsLatest)
			infos = append(infos, store.Info{
				Name: s.name(m.Key, out.EncodingType), Version: versionID(m.VersionId, latest), Modified: utc(m.LastModified),
				Latest: latest, DeleteMarker: true,
			})
		case !marker && len(versions) > 0:
			v := versions[0]
			versions = versions[1:]
			latest := aws.ToBool(v.IsLatest)
			infos = append(infos, store.Info{
				Name: s.name(v.Key, out.EncodingType), Version: versionID(v.VersionId, latest), Modified: utc(v.LastModified),
				Latest: latest, Size: aws.ToInt64(v.Size),
			})
		}
	}
	return unmixed(infos), out, nil
}

// unmixed puts a page into order. Amazon S3 and others mix versions and
// markers, and their order is right. Where one kind comes after the other,
// as versitygw has it, the times tell, if they are exact enough.
func unmixed(page []store.Info) []store.Info {
	second, changes := len(page), 0
	for i := 1; i < len(page); i++ {
		if page[i].DeleteMarker != page[i-1].DeleteMarker {
			second = i
			changes++
		}
	}
	if changes != 1 {
		return page
	}
	merged, a, b := make([]store.Info, 0, len(page)), page[:second], page[second:]
	for len(a) > 0 && len(b) > 0 {
		if before(b[0], a[0]) {
			merged, b = append(merged, b[0]), b[1:]
		} else {
			merged, a = append(merged, a[0]), a[1:]
		}
	}
	return append(append(merged, a...), b...)
}

// before reports whether a comes before b: by name, then the newer one. Not
// all times have fractions of seconds.
func before(a, b store.Info) bool {
	if a.Name != b.Name {
		return a.Name < b.Name
	}
	if a.Latest != b.Latest {
		return a.Latest
	}
	return a.Modified.Truncate(time.Second).After(b.Modified.Truncate(time.Second))
}

// noting notes in which order versions (false) and delete markers (true) come
// in the answer, which the SDK forgets when it sorts them into two lists.
func noting(order *[]bool) func(*s3.Options) {
	note := middleware.DeserializeMiddlewareFunc("custody:VersionOrder", func(
		ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
	) (middleware.DeserializeOutput, middleware.Metadata, error) {
		out, metadata, err := next.HandleDeserialize(ctx, in)
		response, ok := out.RawResponse.(*smithyhttp.Response)
		if err != nil || !ok || response.StatusCode != http.StatusOK {
			return out, metadata, err
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil {
			return out, metadata, &smithyhttp.RequestSendError{Err: err} // the answer broke off: again
		}
		response.Body = io.NopCloser(bytes.NewReader(body))
		*order = versionOrder(body)
		return out, metadata, nil
	})
	return s3.WithAPIOptions(func(stack *middleware.Stack) error {
		return stack.Deserialize.Add(note, middleware.After)
	})
}

// versionOrder reads the order from a ListVersionsResult. What it cannot read
// the SDK cannot either, and reports.
func versionOrder(body []byte) []bool {
	var order []bool
	d := xml.NewDecoder(bytes.NewReader(body))
	for depth := 0; ; {
		token, err := d.RawToken()
		if err != nil {
			return order
		}
		switch t := token.(type) {
		case xml.StartElement:
			if depth++; depth == 2 && (t.Name.Local == "Version" || t.Name.Local == "DeleteMarker") {
				order = append(order, t.Name.Local == "DeleteMarker")
			}
		case xml.EndElement:
			depth--
		}
	}
}
