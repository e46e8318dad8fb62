package awscloudtrailreceiver

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/otelcol-custody/custody/internal/contents"
)

// A stream is what lies in a bucket of one account in one region: folders of logs of
// different kinds, and one of digests, each with folders for years, months and days.
type stream struct {
	account string // the account's folder, with a slash at its end
	region  string
	logs    []string // folders, down to the region, with a slash at the end
	digests []string // none, or one
	mark    mark     // when the look began
}

func (s *stream) String() string { return s.account + "*/" + s.region }

// An organisation's trail puts a folder between AWSLogs and the accounts.
var organisation = regexp.MustCompile(`^o-[a-z0-9]{10,32}$`)

// base is the last folder of a prefix that ends with a slash.
func base(prefix string) string {
	prefix = strings.TrimSuffix(prefix, "/")
	return prefix[strings.LastIndexByte(prefix, '/')+1:]
}

// discover lists folders, and returns the streams of the accounts and regions that are
// asked for. Folders of other services are passed over.
func (b *bucket) discover(ctx context.Context) ([]*stream, error) {
	accounts, err := b.accounts(ctx)
	if err != nil {
		return nil, err
	}
	var list []*stream
	for _, folder := range accounts {
		found, err := b.streams(ctx, folder)
		if err != nil {
			return nil, err
		}
		list = append(list, found...)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("bucket: there is no CloudTrail folder below s3://%s/%s for what is asked for: look at name, prefix, accounts and regions", b.cfg.Name, b.cfg.root())
	}
	b.missing(accounts, list)
	return list, nil
}

// accounts are the folders of the accounts that are asked for.
func (b *bucket) accounts(ctx context.Context) ([]string, error) {
	var list []string
	below, err := b.folders(ctx, b.cfg.root())
	if err != nil {
		return nil, err
	}
	for _, folder := range below {
		if organisation.MatchString(base(folder)) {
			members, err := b.folders(ctx, folder)
			if err != nil {
				return nil, err
			}
			list = append(list, members...)
			continue
		}
		list = append(list, folder)
	}
	return slices.DeleteFunc(list, func(folder string) bool {
		id := base(folder)
		return !account.MatchString(id) || len(b.cfg.Accounts) > 0 && !slices.Contains(b.cfg.Accounts, id)
	}), nil
}

// streams are those of one account, in the order of their regions.
func (b *bucket) streams(ctx context.Context, folder string) ([]*stream, error) {
	kinds, err := b.folders(ctx, folder)
	if err != nil {
		return nil, err
	}
	var list []*stream
	for _, kind := range kinds {
		if !strings.HasPrefix(base(kind), "CloudTrail") {
			continue
		}
		regions, err := b.folders(ctx, kind)
		if err != nil {
			return nil, err
		}
		for _, r := range regions {
			if name := base(r); regionName.MatchString(name) && (len(b.cfg.Regions) == 0 || slices.Contains(b.cfg.Regions, name)) {
				list = join(list, folder, name, r)
			}
		}
	}
	slices.SortFunc(list, func(a, b *stream) int { return strings.Compare(a.region, b.region) })
	return list, nil
}

// join puts a folder into its region's stream.
func join(list []*stream, account, region, folder string) []*stream {
	i := slices.IndexFunc(list, func(s *stream) bool { return s.region == region })
	if i < 0 {
		i, list = len(list), append(list, &stream{account: account, region: region})
	}
	if isDigest(folder) {
		list[i].digests = append(list[i].digests, folder)
	} else {
		list[i].logs = append(list[i].logs, folder)
	}
	return list
}

func (b *bucket) folders(ctx context.Context, prefix string) (list []string, err error) {
	err = b.persist(ctx, func() error {
		list, err = b.objects.reader.Folders(ctx, b.cfg.Name, prefix)
		return err
	})
	return list, err
}

// missing says once which accounts and regions were asked for and have no folder: it may
// be that they deliver nothing yet, or a slip of the pen.
func (b *bucket) missing(accounts []string, list []*stream) {
	var found []string
	for _, a := range accounts {
		found = append(found, base(a))
	}
	for _, s := range list {
		found = append(found, s.region)
	}
	for _, asked := range slices.Concat(b.cfg.Accounts, b.cfg.Regions) {
		if !slices.Contains(found, asked) && !b.missed[asked] {
			b.missed[asked] = true
			b.log.Warn("bucket: accounts or regions name what has no CloudTrail folder there", zap.String("missing", asked))
		}
	}
}

// A mark is how far a stream is done, as it is kept under
// "bucket/1/<32 hex: first half of the SHA-256 of bucket, account's folder, region and from>":
// every object of Day and of the days before it, from `from` on, came to its end. It has
// its own key for each `from`, so that looking further back skips nothing.
type mark struct {
	Day string `json:"day"` // as 2026/11/01
}

func (b *bucket) markKey(s *stream) string {
	from := ""
	if !b.bounds.from.IsZero() {
		from = b.bounds.from.Format(time.RFC3339)
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{b.cfg.Name, s.account, s.region, from}, "\x00")))
	return "bucket/1/" + hex.EncodeToString(sum[:16])
}

// mark recalls how far a stream is done; a damaged mark is none.
func (b *bucket) mark(ctx context.Context, s *stream) (mark, error) {
	var m mark
	_, err := b.objects.book.Recall(ctx, b.markKey(s), &m)
	if errors.Is(err, contents.ErrDamaged) {
		b.log.Warn("the mark of a stream is damaged: it is listed again from its start, and what was delivered is recognised",
			zap.Stringer("stream", s), zap.Error(err))
		return mark{}, nil
	}
	return m, err
}

// begin is the first day to list behind a mark; "" for all. Days in keys are those of
// delivery, and a file may be delivered late or copied there later: hence the overlap.
func (b *bucket) begin(m mark) string {
	first := b.bounds.first()
	day, err := time.Parse(dayLayout, m.Day)
	if err != nil {
		return first
	}
	return max(first, dayOf(day.Add(-b.cfg.Overlap)))
}
