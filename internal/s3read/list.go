package s3read

import (
	"context"
	"iter"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/otelcol-custody/custody/internal/awsclient"
)

// A Listed is an object of a listing, with its current version.
type Listed struct {
	Ref      Ref
	Modified time.Time
}

// List yields the objects whose keys begin with prefix and come after a key, in the
// order of their keys. The pair with an error is the last.
func (r *Reader) List(ctx context.Context, bucket, prefix, after string) iter.Seq2[Listed, error] {
	return func(yield func(Listed, error) bool) {
		in := &s3.ListObjectsV2Input{Bucket: &bucket, Prefix: &prefix, RequestPayer: r.payer(), ExpectedBucketOwner: r.owner()}
		if after != "" {
			in.StartAfter = &after
		}
		for pages := s3.NewListObjectsV2Paginator(r.client, in); pages.HasMorePages(); {
			page, err := r.page(ctx, bucket, pages)
			if err != nil {
				yield(Listed{}, awsclient.Explain(err, "list s3://"+bucket+"/"+prefix, "s3:ListBucket"))
				return
			}
			for _, o := range page.Contents {
				ref := Ref{Bucket: bucket, Key: aws.ToString(o.Key), ETag: strings.Trim(aws.ToString(o.ETag), `"`), Size: aws.ToInt64(o.Size)}
				if !yield(Listed{ref, aws.ToTime(o.LastModified)}, nil) {
					return
				}
			}
		}
	}
}

// Folders yields the common prefixes one level below prefix, which ends with a slash or
// is empty, in their order.
func (r *Reader) Folders(ctx context.Context, bucket, prefix string) ([]string, error) {
	var list []string
	pages := s3.NewListObjectsV2Paginator(r.client, &s3.ListObjectsV2Input{Bucket: &bucket, Prefix: &prefix,
		Delimiter: aws.String("/"), RequestPayer: r.payer(), ExpectedBucketOwner: r.owner()})
	for pages.HasMorePages() {
		page, err := r.page(ctx, bucket, pages)
		if err != nil {
			return nil, awsclient.Explain(err, "list s3://"+bucket+"/"+prefix, "s3:ListBucket")
		}
		for _, p := range page.CommonPrefixes {
			list = append(list, aws.ToString(p.Prefix))
		}
	}
	return list, nil
}

func (r *Reader) page(ctx context.Context, bucket string, pages *s3.ListObjectsV2Paginator) (page *s3.ListObjectsV2Output, err error) {
	err = r.inRegion(bucket, func(o func(*s3.Options)) error {
		page, err = pages.NextPage(ctx, o)
		return err
	})
	return page, err
}
