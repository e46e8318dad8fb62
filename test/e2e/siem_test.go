package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
)

// A siem takes records over OTLP/HTTP and keeps their ids.
type siem struct {
	endpoint string

	mu  sync.Mutex
	ids map[string]int
}

func newSIEM(t *testing.T) *siem {
	t.Helper()
	s := &siem{ids: map[string]int{}}
	srv := httptest.NewServer(http.HandlerFunc(s.take))
	t.Cleanup(srv.Close)
	s.endpoint = srv.URL
	return s
}

// overlay passes the records on, too, once they are sealed.
func (s *siem) overlay() string {
	return fmt.Sprintf(`
processors:
  hash_chain: {emit: [segments, records]}
  filter/records:
    error_mode: propagate
    log_conditions: ['log.attributes["audit.sequence.number"] == nil']
connectors: {forward/siem: {}}
exporters:
  otlp_http/siem: {endpoint: %q, compression: none, sending_queue: {enabled: false}, retry_on_failure: {enabled: false}}
service:
  pipelines:
    logs: {exporters: [file_worm, forward/siem]}
    logs/siem: {receivers: [forward/siem], processors: [filter/records], exporters: [otlp_http/siem]}
`, s.endpoint)
}

func (s *siem) take(w http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(r.Body)
	req := plogotlp.NewExportRequest()
	if err == nil {
		err = req.UnmarshalProto(b)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError) // The sender tries again.
		return
	}
	s.mu.Lock()
	for _, rl := range req.Logs().ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				if id, ok := lr.Attributes().Get(idKey); ok {
					s.ids[id.Str()]++
				}
			}
		}
	}
	s.mu.Unlock()
	answer, _ := plogotlp.NewExportResponse().MarshalProto()
	w.Header().Set("Content-Type", "application/x-protobuf")
	_, _ = w.Write(answer)
}

// await waits for every record that was answered.
func (s *siem) await(t *testing.T, b *book) {
	t.Helper()
	eventually(t, "every answered record in the SIEM", func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		s.mu.Lock()
		defer s.mu.Unlock()
		for id := range b.answered {
			if s.ids[id] == 0 {
				return false
			}
		}
		return true
	})
}
