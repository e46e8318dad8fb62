package s3store

import (
	"context"
	"fmt"
	"iter"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/otelcol-custody/custody/store"
)

// List implements [store.Store].
func (s *Store) List(ctx context.Context, prefix, after string) iter.Seq2[store.Info, error] {
	return s.filtered(ctx, prefix, after, s.objects)
}

// ListVersions implements [store.Versioned]. It doesn't tell retentions.
func (s *Store) ListVersions(ctx context.Context, prefix, after string) iter.Seq2[store.Info, error] {
	return s.filtered(ctx, prefix, after, s.versions)
}

// filtered asks for a bit more than is wanted, in words that S3 can carry,
// and yields what is wanted.
func (s *Store) filtered(ctx context.Context, prefix, after string,
	ask func(ctx context.Context, prefix, after string) iter.Seq2[store.Info, error],
) iter.Seq2[store.Info, error] {
	return func(yield func(store.Info, error) bool) {
		if err := s.usable(ctx); err != nil {
			yield(store.Info{}, err)
			return
		}
		begin := carried(prefix)
		if hopeless(prefix, begin) {
			return
		}
		after := store.Stored(after)
		for info, err := range ask(ctx, begin, carried(after)) {
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				yield(store.Info{}, err)
				return
			}
			if !strings.HasPrefix(info.Name, prefix) || info.Name <= after {
				continue
			}
			var shown bool
			if info.Name, shown = store.Shown(info.Name, info.Size); shown && !yield(info, nil) {
				return
			}
		}
	}
}

// carried returns the longest beginning of text that a valid name can begin
// with; some servers refuse the rest. Valid names that sort after text sort
// after its beginning, too.
func carried(text string) string {
	for i, r := range text {
		_, size := utf8.DecodeRuneInString(text[i:])
		startsSegment := i == 0 || text[i-1] == '/'
		switch {
		case i+size > store.MaxName, r == utf8.RuneError && size == 1, r < 0x20, r == 0x7f, r == '\\',
			startsSegment && (r == '/' || r == '.'):
			return text[:i]
		}
	}
	return text
}

// hopeless reports whether no valid name begins with prefix, of which begin
// is carried. What follows may be the beginning of one character.
func hopeless(prefix, begin string) bool {
	rest := prefix[len(begin):]
	return rest != "" && (utf8.FullRuneInString(rest) || len(prefix) > store.MaxName)
}

// objects lists the current objects, page by page.
func (s *Store) objects(ctx context.Context, prefix, after string) iter.Seq2[store.Info, error] {
	return func(yield func(store.Info, error) bool) {
		in := s.page(prefix)
		if after != "" {
			in.StartAfter = s.key(after)
		}
		for {
			out, err := s.client.ListObjectsV2(ctx, in)
			if err != nil {
				yield(store.Info{}, s.fail(ctx, listing, "", err))
				return
			}
			for _, o := range out.Contents {
				info := store.Info{Name: s.name(o.Key, out.EncodingType), Size: aws.ToInt64(o.Size), Modified: utc(o.LastModified), Latest: true}
				if !yield(info, nil) {
					return
				}
			}
			if !aws.ToBool(out.IsTruncated) {
				return
			}
			last, next := aws.ToString(in.ContinuationToken), aws.ToString(out.NextContinuationToken)
			if next == "" || next == last {
				yield(store.Info{}, s.stuck())
				return
			}
			in.ContinuationToken = out.NextContinuationToken
		}
	}
}

func (s *Store) page(prefix string) *s3.ListObjectsV2Input {
	return &s3.ListObjectsV2Input{
		Bucket: s.bucket(), Prefix: optional(s.prefix + prefix), EncodingType: types.EncodingTypeUrl,
		ExpectedBucketOwner: s.owner(), RequestPayer: s.payer(),
	}
}

// stuck is for a listing that would never end, or end too early.
func (s *Store) stuck() error {
	return fmt.Errorf("%w: list %s: the store says there is more and doesn't say from where on", store.ErrUnfit, s.id)
}

// name decodes a key. Without the encoding one foreign key with a control
// character would make the whole listing unreadable. A key that isn't below
// the prefix, or cannot be decoded, becomes no valid name.
func (s *Store) name(key *string, encoding types.EncodingType) string {
	k, below := strings.CutPrefix(decoded(aws.ToString(key), encoding), s.prefix)
	if !below {
		return ""
	}
	return k
}

func decoded(key string, encoding types.EncodingType) string {
	if encoding != types.EncodingTypeUrl {
		return key
	}
	k, err := url.QueryUnescape(key)
	if err != nil {
		return ""
	}
	return k
}
