package scale

import (
	"context"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-custody/custody/internal/delivery"
	"github.com/otelcol-custody/custody/internal/logstore"
	"github.com/otelcol-custody/custody/internal/transfer"
	"github.com/otelcol-custody/custody/internal/wormexport"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/dirstore"
	"github.com/otelcol-custody/custody/store/s3store"
	"github.com/otelcol-custody/custody/store/storetest/servers"
	"github.com/otelcol-custody/custody/store/storetest/wire"
)

const (
	bucket = "acme-audit"
	large  = "large" // the log of that many objects
	copied = "copied"
	// mostCopied bounds the log that is fetched: the requests for each object are
	// the same for every size, and each file is fsync'd.
	mostCopied = 20_000
)

// field is a server with a large log in it.
type field struct {
	*meter
	server  *servers.S3
	objects int           // of the large log
	limit   time.Duration // of a listing
	log     *chain
	head    []byte            // its newest seal that was planted
	last    *delivery.Objects // its newest segment that was delivered
	keys    *checkpoint.Keys
}

// BenchmarkObjects measures each thing once beside a log of CUSTODY_SCALE objects;
// what is measured b.N times is a segment in the steady state.
func BenchmarkObjects(b *testing.B) {
	f := prepare(b)
	f.start("first start of a day")
	f.start("start")
	f.readHead()
	e := f.exporter()
	f.measure("probe", func() string { return f.send(e, (&delivery.Probe{Seal: f.head}).Logs()) })
	f.measure("first segment", func() string { return f.deliver(e) })
	f.proxy.Forget()
	segments := 0
	for b.Loop() {
		f.deliver(e)
		segments++
	}
	f.enter("steady segment", b.Elapsed(), segments, fmt.Sprintf("mean of %d", segments))
	f.stop(e)
	e = f.exporter()
	f.measure("the last sent again", func() string { return f.send(e, f.last.Logs()) })
	f.stop(e)
	f.fetch()
	f.list()
	f.report()
}

func prepare(b *testing.B) *field {
	f := &field{objects: 2000, limit: time.Minute}
	f.configure(b)
	f.server = servers.Versity(b)
	f.server.Bucket(b, bucket, true)
	proxy := wire.NewProxy(b, f.server.Endpoint)
	f.server.Endpoint = proxy.URL
	f.meter = newMeter(b, proxy)
	f.keys = ledgertest.Keys(b, ledgertest.Signer(b, origin))
	p := &plot{b, filepath.Join(f.server.Dir, bucket)}
	began := time.Now()
	f.log, f.head = p.log(large, f.objects)
	p.log(copied, min(f.objects, mostCopied))
	fmt.Fprintf(os.Stdout, "\na log of %d objects in versitygw, planted in %v\n", f.objects, time.Since(began).Round(time.Second))
	fmt.Fprintf(os.Stdout, columns, "what", "seconds", "requests", "result", "of these")
	return f
}

// configure reads the environment.
func (f *field) configure(b *testing.B) {
	for name, set := range map[string]func(string) error{
		"CUSTODY_SCALE":       func(text string) (err error) { f.objects, err = strconv.Atoi(text); return err },
		"CUSTODY_SCALE_LIMIT": func(text string) (err error) { f.limit, err = time.ParseDuration(text); return err },
	} {
		if text := os.Getenv(name); text != "" {
			if err := set(text); err != nil {
				b.Fatalf("%s: %v", name, err)
			}
		}
	}
	if f.objects < 4*genuine || f.objects%2 != 0 {
		b.Fatalf("CUSTODY_SCALE: must be even and at least %d, got %d", 4*genuine, f.objects)
	}
}

func (f *field) open(ctx context.Context, readOnly bool) (store.Store, error) {
	return s3store.Open(ctx, s3store.Options{
		Bucket: bucket, Region: f.server.Region, Endpoint: f.server.Endpoint, PathStyle: true,
		AccessKeyID: f.server.AccessKey, SecretAccessKey: f.server.SecretKey, ReadOnly: readOnly,
	})
}

// reader opens the store for reading and doesn't count that.
func (f *field) reader() store.Store {
	s, err := f.open(f.b.Context(), true)
	if err != nil {
		f.b.Fatal(err)
	}
	f.b.Cleanup(func() { _ = s.Close() })
	return s
}

// exporter returns one that has started, as a pipeline's that locks has.
func (f *field) exporter() *wormexport.Exporter {
	e, err := wormexport.New(wormexport.Settings{
		Telemetry: componenttest.NewNopTelemetrySettings(), ID: bucket, Keys: f.keys,
		Open:      func(ctx context.Context) (store.Store, error) { return f.open(ctx, false) },
		Retention: wormexport.RetentionPolicy{Mode: store.ModeGovernance, For: 24 * time.Hour, RequireLock: true},
		Timeout:   5 * time.Minute, // The server may read half a million names for an answer.
	})
	if err != nil {
		f.b.Fatal(err)
	}
	if err := e.Start(f.b.Context(), componenttest.NewNopHost()); err != nil {
		f.b.Fatal(err)
	}
	return e
}

func (f *field) stop(e *wormexport.Exporter) {
	if err := e.Shutdown(f.b.Context()); err != nil {
		f.b.Fatal(err)
	}
}

func (f *field) start(what string) {
	var e *wormexport.Exporter
	f.measure(what, func() string { e = f.exporter(); return "opened, lock checked" })
	f.stop(e)
}

func (f *field) deliver(e *wormexport.Exporter) string {
	_, f.last = f.log.next(f.b)
	return f.send(e, f.last.Logs())
}

// send wants the receipt.
func (f *field) send(e *wormexport.Exporter, ld plog.Logs) string {
	ctx, book := delivery.WithBook(f.b.Context())
	ld.MarkReadOnly()
	if err := e.ConsumeLogs(ctx, ld); err != nil || !book.Complete(1) {
		f.b.Fatalf("no receipt: %v", err)
	}
	return "receipt"
}

func (f *field) readHead() {
	s := f.reader()
	f.measure("head", func() string {
		h, err := logstore.New(s, large, f.keys, func(n logstore.Notice) { f.b.Errorf("met %v", n) }).Head(f.b.Context())
		if err != nil {
			f.b.Fatal(err)
		}
		if string(h.Seal.Bytes()) != string(f.head) {
			f.b.Fatalf("the head found begins at %d, it isn't the newest", h.Seal.First)
		}
		return fmt.Sprintf("size %d", h.Seal.End())
	})
}

// fetch fetches a log twice.
func (f *field) fetch() {
	from := f.reader()
	to, err := dirstore.Open(filepath.Join(f.b.TempDir(), "copy"), dirstore.Options{Immutable: dirstore.ImmutableOff})
	if err != nil {
		f.b.Fatal(err)
	}
	defer func() { _ = to.Close() }()
	once := func(want uint64) func() string {
		return func() string {
			r, err := transfer.Fetch(f.b.Context(), from, to, transfer.Options{Logs: []string{copied}})
			if err != nil {
				f.b.Fatal(err)
			}
			l := r.Logs[0]
			if l.Objects != want || l.Failed+l.Foreign != 0 || l.Tampered() {
				f.b.Fatalf("copied %d, failed %d, foreign %d, found %v; want %d copied", l.Objects, l.Failed, l.Foreign, l.Findings, want)
			}
			return fmt.Sprintf("%d copied, %d skipped, %d notices", l.Objects, l.Skipped, len(l.Notices))
		}
	}
	f.measure("fetch", once(uint64(min(f.objects, mostCopied))))
	f.measure("second fetch", once(0))
}

// list lists the large log, through the store and, for comparison, a part with
// the plain SDK.
func (f *field) list() {
	s, client := f.reader(), f.server.Client()
	name, prefix := aws.String(bucket), aws.String(large+"/")
	f.listing("list", f.limit, func(ctx context.Context, listed func(string)) error {
		return names(s.List(ctx, *prefix, ""), listed)
	})
	f.listing("SDK list", f.limit/8, func(ctx context.Context, listed func(string)) error {
		pages := s3.NewListObjectsV2Paginator(client, &s3.ListObjectsV2Input{Bucket: name, Prefix: prefix})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return err
			}
			for _, o := range page.Contents {
				listed(*o.Key)
			}
		}
		return nil
	})
	f.listing("list versions", f.limit, func(ctx context.Context, listed func(string)) error {
		return names(s.(store.Versioned).ListVersions(ctx, *prefix, ""), listed)
	})
	f.listing("SDK list versions", f.limit/8, func(ctx context.Context, listed func(string)) error {
		pages := s3.NewListObjectVersionsPaginator(client, &s3.ListObjectVersionsInput{Bucket: name, Prefix: prefix})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return err
			}
			for _, v := range page.Versions {
				listed(*v.Key)
			}
		}
		return nil
	})
}

func names(list iter.Seq2[store.Info, error], listed func(string)) error {
	for info, err := range list {
		if err != nil {
			return err
		}
		listed(info.Name)
	}
	return nil
}

// listing measures a listing until its end or the limit. Each object has one
// version, so a name that comes twice is the server's doing.
func (f *field) listing(what string, limit time.Duration, list func(context.Context, func(string)) error) {
	f.measure(what, func() string {
		ctx, cancel := context.WithTimeout(f.b.Context(), limit)
		defer cancel()
		distinct, repeated, last := 0, 0, ""
		err := list(ctx, func(name string) {
			if name == last {
				repeated++
			} else {
				distinct++
			}
			last = name
		})
		result := fmt.Sprintf("%d names, %d repeated", distinct, repeated)
		if ctx.Err() != nil && err != nil {
			return "cut off after " + result
		}
		if want := 2 * int(f.log.at.Edge.Size()); err != nil || distinct != want {
			f.b.Fatalf("%s: %s, %v; want %d", what, result, err, want)
		}
		return result
	})
}
