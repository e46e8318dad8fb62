package distro

import (
	"encoding/json"
	"io"
	"time"

	"github.com/otelcol-custody/custody/audit/cloudtrail/digest"
)

// verifyCloudTrailJSON is the document of verify-cloudtrail --json (docs/cli.md).
type verifyCloudTrailJSON struct {
	Version   int                      `json:"version"`
	Command   string                   `json:"command"`
	Verdict   string                   `json:"verdict"`
	CheckedAt time.Time                `json:"checked_at"`
	Software  string                   `json:"software"`
	Dir       string                   `json:"dir"`
	Buckets   []string                 `json:"buckets"`
	Keys      []string                 `json:"keys"`
	From      *time.Time               `json:"from"`
	To        *time.Time               `json:"to"`
	Bytes     uint64                   `json:"bytes_checked"`
	Chains    []cloudTrailChainJSON    `json:"chains"`
	Counts    map[digest.Reason]uint64 `json:"counts"`
	Findings  []cloudTrailFindingJSON  `json:"findings"`
	Unproven  []cloudTrailFindingJSON  `json:"unproven"`
	Notices   []string                 `json:"notices"`
	Unread    []string                 `json:"unread"`
	Errors    []string                 `json:"errors"`
}

type cloudTrailChainJSON struct {
	digest.Chain
	Digests uint64     `json:"digests"`
	Logs    uint64     `json:"log_files"`
	From    *time.Time `json:"from"`
	To      *time.Time `json:"to"`
}

type cloudTrailFindingJSON struct {
	Kind    digest.Kind    `json:"kind"`
	Reason  digest.Reason  `json:"reason"`
	Chain   digest.Chain   `json:"chain"`
	Object  *digest.Object `json:"object,omitempty"`
	Digest  *digest.Object `json:"digest,omitempty"`
	Want    string         `json:"want,omitempty"`
	Got     string         `json:"got,omitempty"`
	From    *time.Time     `json:"from,omitempty"`
	To      *time.Time     `json:"to,omitempty"`
	Message string         `json:"message"`
}

func (v *cloudTrailVerdict) printJSON(w io.Writer) error {
	d := verifyCloudTrailJSON{
		Version: documentVersion, Command: "verify-cloudtrail", Verdict: v.name(), CheckedAt: v.checked, Software: v.software, Dir: v.dir,
		Buckets: some(v.Buckets), Keys: []string{}, From: known(v.opt.From), To: known(v.opt.To), Bytes: v.Bytes, Counts: v.Counts,
		Chains: []cloudTrailChainJSON{}, Findings: findingsJSON(v.Findings), Unproven: findingsJSON(v.Unproven),
		Notices: some(v.Notices), Unread: some(v.Unread), Errors: some(v.errors),
	}
	for _, k := range v.opt.Keys {
		d.Keys = append(d.Keys, k.Fingerprint())
	}
	for _, c := range v.Chains {
		d.Chains = append(d.Chains, cloudTrailChainJSON{c.Chain, c.Digests, c.Logs, known(c.From), known(c.To)})
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(d)
}

func findingsJSON(outcomes []digest.Outcome) []cloudTrailFindingJSON {
	all := []cloudTrailFindingJSON{}
	for _, o := range outcomes {
		all = append(all, cloudTrailFindingJSON{
			Kind: o.Kind(), Reason: o.Reason, Chain: o.Chain, Object: known(o.Object), Digest: known(o.Digest),
			Want: o.Want, Got: o.Got, From: known(o.From), To: known(o.To), Message: o.Sentence(),
		})
	}
	return all
}

// known is a value, or nil if it is zero.
func known[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// some makes a missing list an empty one: readers of JSON need no case for null.
func some(l []string) []string {
	if l == nil {
		return []string{}
	}
	return l
}
