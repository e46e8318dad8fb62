package arch

import "slices"

const module = "github.com/otelcol-custody/custody"

// A rule says what the packages below some folders may or must not import.
// Paths are import paths; those that begin with "./" are this module's. "x/..."
// is x and all below it; "std" is the standard library. Tests may import more.
type rule struct {
	folders []string
	// only lists everything that may be imported directly; empty means no limit.
	only []string
	// never lists what must not be reached, directly or through others.
	never []string
	// notDirectly lists what must not be imported by the package itself.
	notDirectly []string
	why         string
}

var (
	otel      = []string{"go.opentelemetry.io/...", "github.com/open-telemetry/..."}
	collector = []string{"go.opentelemetry.io/collector/...", "github.com/open-telemetry/..."}

	aws    = []string{"github.com/aws/...", "github.com/minio/..."}
	google = []string{"cloud.google.com/...", "google.golang.org/api/..."}
	azure  = []string{"github.com/Azure/..."}
	clouds = slices.Concat(aws, google, azure)
)

const oneSDK = "one package per cloud SDK"

var rules = []rule{
	{
		folders: []string{"./ledger/..."},
		only:    []string{"std", "./ledger/...", "golang.org/x/mod/sumdb/note", "golang.org/x/mod/sumdb/tlog", "github.com/klauspost/compress/zstd"},
		notDirectly: []string{
			"os", "os/exec", "io/ioutil", "path/filepath", "syscall", "net/...", "log/...", "crypto/rand", "math/rand/...",
		},
		why: "the core takes bytes and returns values: no I/O, no randomness, no logging, few dependencies to trust",
	},
	{
		folders: []string{"./audit/..."},
		never:   slices.Concat(otel, clouds, []string{"./ledger/...", "./store/...", "./internal/..."}),
		why:     "what events mean can be used and tested without a collector",
	},
	{
		folders: []string{"./store/..."},
		// Google's SDK brings OpenTelemetry's instrumentation along.
		notDirectly: otel,
		never:       slices.Concat(collector, []string{"./ledger/...", "./internal/sealer/..."}),
		why:         "a store keeps bytes and knows nothing of what they say",
	},
	{folders: []string{"./store/dirstore/..."}, never: clouds, why: oneSDK},
	{folders: []string{"./store/s3store/..."}, never: slices.Concat(google, azure), why: oneSDK},
	{folders: []string{"./store/gcsstore/..."}, never: slices.Concat(aws, azure), why: oneSDK},
	{folders: []string{"./store/azblobstore/..."}, never: slices.Concat(aws, google), why: oneSDK},
	{
		folders: []string{"./internal/storeconfig"},
		never:   []string{"./ledger/...", "./internal/sealer/...", "./internal/wormexport/...", "./exporter/..."},
		why:     "exporters, commands and the judge open stores by one configuration, which knows nothing of what lies in them",
	},
	{
		folders: []string{"./receiver/..."},
		never:   []string{"./ledger/...", "./store/...", "./internal/sealer/...", "./internal/wormexport/..."},
		why:     "receivers hand over records; how they become evidence is not theirs",
	},
	{
		folders: []string{"./internal/awsnotify/..."},
		only:    []string{"std"},
		why:     "what a message says and who signed it is read without AWS's SDK",
	},
	{
		folders: []string{"./internal/awsclient", "./internal/s3read"},
		never:   slices.Concat(google, azure, []string{"./audit/...", "./ledger/...", "./store/..."}),
		why:     "calls to AWS know nothing of what the bytes mean",
	},
	{
		folders: []string{"./internal/contents", "./internal/follow"},
		never:   slices.Concat(clouds, []string{"./audit/...", "./ledger/...", "./store/..."}),
		why:     "delivering a content once does not depend on where it lay",
	},
	{
		folders: []string{"./audit/...", "./cmd/...", "./exporter/...", "./extension/...", "./internal/distro", "./processor/...", "./receiver/...", "./store/..."},
		never:   []string{"./internal/awstest/...", "./audit/cloudtrail/digest/digesttest"},
		why:     "servers and keys of tests are for tests",
	},
	{
		folders: []string{"./extension/..."},
		never:   []string{"./internal/sealer/...", "./internal/wormexport/...", "./exporter/...", "./processor/..."},
		why:     "the judge shares no code with the accused",
	},
	{
		folders: []string{"./exporter/...", "./internal/wormexport/..."},
		never:   []string{"./internal/sealer/...", "./processor/...", "./receiver/..."},
		why:     "an exporter believes the bytes it verified, not the processor that sent them",
	},
	{
		folders: []string{"./internal/logstore/...", "./internal/logproof/...", "./internal/recordindex/...", "./internal/integrity/..."},
		never:   slices.Concat(otel, clouds, []string{"./internal/sealer/...", "./internal/wormexport/...", "./processor/...", "./exporter/...", "./receiver/..."}),
		why:     "who reads a log to judge it believes bytes, not those who wrote it, and needs no collector",
	},
	{
		folders: []string{"./internal/integrity/framed", "./internal/integrity/incident", "./internal/integrity/memory", "./internal/integrity/webhook", "./internal/integrity/peers/..."},
		never:   []string{"./store/...", "./internal/logstore/..."},
		why:     "what is remembered and told of findings does not depend on how they are found",
	},
	{
		folders: []string{"./internal/recovery/..."},
		never:   slices.Concat(clouds, []string{"./internal/wormexport/...", "./exporter/...", "./processor/...", "./store/s3store/...", "./store/gcsstore/...", "./store/azblobstore/..."}),
		why:     "a recovery reads stores and never writes to one",
	},
	{
		folders: []string{"./internal/sealer"},
		never:   []string{"./store/...", "./internal/wormexport/...", "./internal/logstore/...", "./exporter/...", "./receiver/..."},
		why:     "sealing must not know where its objects go",
	},
	{
		folders: []string{"./internal/sealer/model/...", "./internal/ingest/..."},
		only:    []string{"std", "./internal/sealer/model/..."},
		why:     "a model that used the code would repeat its mistakes; a receiver's account says nothing of logs",
	},
	{
		folders: []string{"./internal/durable/..."},
		never:   slices.Concat(otel, []string{"./ledger/...", "./store/..."}),
		why:     "files that survive power loss are useful without a ledger",
	},
	{
		folders: []string{"./cmd/custody/..."},
		never:   slices.Concat(otel, clouds, []string{"net/...", "./internal/sealer/...", "./processor/...", "./exporter/...", "./receiver/..."}),
		why:     "the auditor's command is small, offline, and shares nothing with the collector",
	},
}

// onlyMeetingPlace is where pdata and ledger/record meet: every other package
// knows at most one of them, so there is one translation and one place to review.
var onlyMeetingPlace = struct{ pdata, record, where string }{
	pdata:  "go.opentelemetry.io/collector/pdata/...",
	record: "./ledger/record",
	where:  "./internal/logrecord/...",
}
