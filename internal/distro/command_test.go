package distro

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/healthcheckextension"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/fileprovider"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/debugexporter"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/service/telemetry/otelconftelemetry"
	"go.uber.org/zap"
)

// reporter is a receiver that reports one status once it has started, or once the
// collector answers at ready.
type reporter struct {
	component.ShutdownFunc
	event *componentstatus.Event
	ready string
	after func()
}

func (r *reporter) Start(_ context.Context, host component.Host) error {
	if r.event != nil {
		componentstatus.ReportStatus(host, componentstatus.NewEvent(componentstatus.StatusOK))
		// A fatal status blocks until the collector's loop takes it, and blocks all
		// other reports meanwhile: before everything has started it hangs the start.
		go func() {
			if r.ready != "" {
				waitForStatus(r.ready, http.StatusOK)
			}
			componentstatus.ReportStatus(host, r.event)
		}()
	}
	if r.after != nil {
		go r.after()
	}
	return nil
}

func factoriesWith(r *reporter) func() (otelcol.Factories, error) {
	kind := component.MustNewType("reporter")
	create := func(context.Context, receiver.Settings, component.Config, consumer.Logs) (receiver.Logs, error) {
		return r, nil
	}
	return func() (f otelcol.Factories, err error) {
		f.Telemetry = otelconftelemetry.NewFactory()
		f.Receivers, err = otelcol.MakeFactoryMap(receiver.NewFactory(kind,
			func() component.Config { return &struct{}{} }, receiver.WithLogs(create, component.StabilityLevelDevelopment)))
		if err != nil {
			return f, err
		}
		f.Exporters, err = otelcol.MakeFactoryMap[exporter.Factory](debugexporter.NewFactory())
		if err != nil {
			return f, err
		}
		f.Extensions, err = otelcol.MakeFactoryMap[extension.Factory](healthcheckextension.NewFactory())
		return f, err
	}
}

const configText = `
receivers: {reporter: }
exporters: {debug: }
extensions:
  health_check:
    http: {endpoint: %q, status: {enabled: true, path: /status}}
    component_health: {include_recoverable_errors: true, include_permanent_errors: true, recovery_duration: 1ms}
service:
  extensions: [health_check]
  telemetry: {metrics: {level: none}, logs: {level: %s}}
  pipelines: {logs: {receivers: [reporter], exporters: [debug]}}
`

// run runs a collector with r in it until it stops.
func run(t *testing.T, r *reporter, endpoint, level string) error {
	t.Helper()
	cmd := NewCommand(factoriesWith(r), "v1.2.3")
	cmd.SetArgs([]string{"--config", "yaml:" + fmt.Sprintf(configText, endpoint, level)})
	cmd.SilenceErrors = true
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	return cmd.ExecuteContext(ctx)
}

func freeEndpoint(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestFatalStatusIsAnError(t *testing.T) {
	for _, level := range []string{"info", "fatal"} {
		t.Run("log level "+level, func(t *testing.T) {
			endpoint := freeEndpoint(t)
			fatal := &reporter{event: componentstatus.NewFatalErrorEvent(errors.New("head lost")), ready: endpoint}
			if err := run(t, fatal, endpoint, level); !errors.Is(err, ErrFatal) {
				t.Errorf("got %v, want %v", err, ErrFatal)
			}
		})
	}
}

// failing is a processor that reports a fatal status while the collector starts,
// or has its own way of choosing the moment.
type failing struct {
	component.ShutdownFunc
	consumertest.Consumer
	when func(report func())
}

func (p *failing) Start(_ context.Context, host component.Host) error {
	p.when(func() { componentstatus.ReportStatus(host, componentstatus.NewFatalErrorEvent(errors.New("forked"))) })
	return nil
}

// A fork is found while the collector starts, when a fatal status of the
// collector's own kind would hang it for good.
func TestFatalStatusOfAProcessor(t *testing.T) {
	for name, when := range map[string]func(func()){
		"in start":              func(report func()) { report() },
		"beside start":          func(report func()) { go report() },
		"while it runs":         func(report func()) { time.AfterFunc(100*time.Millisecond, report) },
		"twice, here and there": func(report func()) { report(); go report() },
	} {
		t.Run(name, func(t *testing.T) {
			kind := component.MustNewType("failing")
			create := func(context.Context, processor.Settings, component.Config, consumer.Logs) (processor.Logs, error) {
				return &failing{Consumer: consumertest.NewNop(), when: when}, nil
			}
			factories := func() (otelcol.Factories, error) {
				f, err := factoriesWith(&reporter{})()
				f.Processors = map[component.Type]processor.Factory{kind: processor.NewFactory(kind,
					func() component.Config { return &struct{}{} }, processor.WithLogs(create, component.StabilityLevelDevelopment))}
				return f, err
			}
			text := strings.Replace(fmt.Sprintf(configText, freeEndpoint(t), "error"), "receivers: [reporter]", "receivers: [reporter], processors: [failing]", 1)
			cmd := NewCommand(factories, "v1.2.3")
			cmd.SetArgs([]string{"--config", "yaml:processors: {failing: }", "--config", "yaml:" + text})
			cmd.SilenceErrors = true
			ended := make(chan error, 1)
			go func() { ended <- cmd.ExecuteContext(context.WithoutCancel(t.Context())) }()
			select {
			case err := <-ended:
				if !errors.Is(err, ErrFatal) {
					t.Errorf("got %v, want %v", err, ErrFatal)
				}
			case <-time.After(20 * time.Second):
				t.Fatal("the collector hangs")
			}
		})
	}
}

func TestAskedToStopIsNoError(t *testing.T) {
	endpoint := freeEndpoint(t)
	ctx := t.Context()
	polite := &reporter{after: func() {
		waitForStatus(endpoint, http.StatusOK)
		stopSelf(ctx)
	}}
	if err := run(t, polite, endpoint, "error"); err != nil {
		t.Errorf("got %v, want nil", err)
	}
}

// The gate makes health_check tell the truth: a component that cannot store
// anything turns it to 500.
func TestHealthFollowsComponentStatus(t *testing.T) {
	endpoint := freeEndpoint(t)
	ctx := t.Context()
	var got atomic.Bool
	sick := &reporter{
		event: componentstatus.NewRecoverableErrorEvent(errors.New("no store can be reached")),
		after: func() {
			got.Store(waitForStatus(endpoint, http.StatusInternalServerError))
			stopSelf(ctx)
		},
	}
	if err := run(t, sick, endpoint, "error"); err != nil {
		t.Fatal(err)
	}
	if !got.Load() {
		t.Error("health_check never reported the component's error")
	}
}

func waitForStatus(endpoint string, want int) bool {
	for range 200 {
		resp, err := http.Get("http://" + endpoint + "/status")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == want {
				return true
			}
		}
		time.Sleep(25 * time.Millisecond)
	}
	return false
}

// stopSelf sends what an orchestrator sends, until the collector, which may not
// listen yet, has stopped and the test is over.
func stopSelf(ctx context.Context) {
	for ctx.Err() == nil {
		_ = syscall.Kill(os.Getpid(), syscall.SIGTERM)
		time.Sleep(50 * time.Millisecond)
	}
}

// TestMain keeps a signal that no collector takes from ending the tests.
func TestMain(m *testing.M) {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGTERM)
	os.Exit(m.Run())
}

func TestFaultyConfigIsAnError(t *testing.T) {
	err := run(t, &reporter{}, "not an endpoint", "error")
	if err == nil || errors.Is(err, ErrFatal) {
		t.Errorf("got %v, want an error of the configuration", err)
	}
}

// The collector says what is wrong with YAML, but not in which file.
func TestBrokenYAMLNamesItsFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "gateway.yaml")
	if err := os.WriteFile(file, []byte("receivers:\n\totlp:\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := NewCommand(factoriesWith(&reporter{}), "v1.2.3")
	cmd.SetArgs([]string{"--config", file})
	cmd.SilenceErrors = true
	err := cmd.ExecuteContext(t.Context())
	if err == nil || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), "yaml: line 2") {
		t.Errorf("got %v, want the file and the line", err)
	}
}

// A file that is no YAML by its name may hold any text.
func TestPlainValueFromFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("a: {b"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := naming(fileprovider.NewFactory()).Create(confmap.ProviderSettings{Logger: zap.NewNop()})
	ret, err := p.Retrieve(t.Context(), "file:"+file, nil)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := ret.AsString(); text != "a: {b" || err != nil {
		t.Errorf("got %q, %v", text, err)
	}
}

func TestPortInUseNamesTheWayOut(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	err = run(t, &reporter{}, l.Addr().String(), "error")
	if err == nil || !strings.Contains(err.Error(), l.Addr().String()) || !strings.Contains(err.Error(), "set another endpoint") {
		t.Errorf("got %v, want the address and the way out", err)
	}
}

func TestVersion(t *testing.T) {
	cmd := NewCommand(factoriesWith(&reporter{}), "v1.2.3")
	if cmd.Version != "v1.2.3" {
		t.Errorf("got %q, want the linker's version", cmd.Version)
	}
	if v := resolveVersion(""); !strings.HasPrefix(v, "v") {
		t.Errorf("unnamed binary calls itself %q", v)
	}
}

func TestProvidersAreThoseOfTheBuilder(t *testing.T) {
	text, err := os.ReadFile("../../builder-config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, list, found := strings.Cut(string(text), "\nproviders:\n")
	if !found {
		t.Fatal("builder-config.yaml has no providers")
	}
	for _, s := range schemes {
		if !strings.Contains(list, "gomod: "+s.module+" v") {
			t.Errorf("%s is linked in, builder-config.yaml does not list it", s.module)
		}
	}
	if n := strings.Count(list, "gomod:"); n != len(schemes) {
		t.Errorf("builder-config.yaml lists %d providers, the binary has %d", n, len(schemes))
	}
}
