package distro

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/processor"
)

// told is a stopper that counts.
type told struct{ n atomic.Int32 }

func (s *told) Stopping() { s.n.Add(1) }

// said is what a deadline wrote and how it ended the process.
type said struct {
	mu   sync.Mutex
	text bytes.Buffer
	code int
	at   time.Time
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *said) exit(code int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.code, s.at = code, time.Now()
}

func (s *said) deadline() *deadline {
	d := newDeadline()
	s.code, d.out, d.exit = -1, s, s.exit
	return d
}

// Nothing happens to a run that ends in time, whether it was asked to or not, and
// a run that hangs is ended within the limit, with the reason.
func TestDeadline(t *testing.T) {
	for name, c := range map[string]struct {
		asked bool
		takes time.Duration
		ended bool
	}{
		"never asked": {false, time.Hour, false},
		"in time":     {true, stopLimit - time.Second, false},
		"hangs":       {true, time.Hour, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var s said
				d := s.deadline()
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				over, watched := make(chan struct{}), make(chan struct{})
				go func() { d.watch(ctx, nil, over); close(watched) }()
				early, late := &told{}, &told{}
				d.add(early)
				begin := time.Now()
				if c.asked {
					cancel()
				}
				synctest.Wait()
				d.add(late)
				time.Sleep(c.takes)
				close(over)
				<-watched
				if n := early.n.Load() + late.n.Load(); (n == 2) != c.asked {
					t.Errorf("stoppers were told %d times", n)
				}
				if ended := s.code != -1; ended != c.ended {
					t.Fatalf("exit code %d", s.code)
				}
				if !c.ended {
					return
				}
				if took := s.at.Sub(begin); s.code != 1 || took != stopLimit || took >= 30*time.Second {
					t.Errorf("exit code %d after %v", s.code, took)
				}
				for _, words := range []string{"something still hangs", "Nothing that was answered is lost", "next start"} {
					if !strings.Contains(s.text.String(), words) {
						t.Errorf("it does not say %q: %s", words, s.text.String())
					}
				}
			})
		})
	}
}

func TestStopperThatWasShutDownIsNotTold(t *testing.T) {
	d := newDeadline()
	s := &told{}
	d.add(s)
	d.remove(s)
	d.ask()
	if s.n.Load() != 0 {
		t.Error("it was told")
	}
}

// tardy is a processor that is slow to start, and waits at its shutdown for what
// it was told when the stop began.
type tardy struct {
	consumertest.Consumer
	starting func()
	stopping chan struct{}
	once     sync.Once
}

func (p *tardy) Start(context.Context, component.Host) error {
	p.starting()
	return nil
}

func (p *tardy) Stopping() { p.once.Do(func() { close(p.stopping) }) }

func (p *tardy) Shutdown(context.Context) error {
	<-p.stopping
	return nil
}

// A signal is heard while the collector starts, when it is deaf to it, and the
// processors are told before they are shut down.
func TestSignalWhileStarting(t *testing.T) {
	kind := component.MustNewType("tardy")
	create := func(context.Context, processor.Settings, component.Config, consumer.Logs) (processor.Logs, error) {
		return &tardy{Consumer: consumertest.NewNop(), stopping: make(chan struct{}), starting: func() {
			_ = syscall.Kill(syscall.Getpid(), syscall.SIGTERM)
			time.Sleep(100 * time.Millisecond) // The collector does not listen yet.
		}}, nil
	}
	factories := func() (otelcol.Factories, error) {
		f, err := factoriesWith(&reporter{})()
		f.Processors = map[component.Type]processor.Factory{kind: processor.NewFactory(kind,
			func() component.Config { return &struct{}{} }, processor.WithLogs(create, component.StabilityLevelDevelopment))}
		return f, err
	}
	text := strings.Replace(fmt.Sprintf(configText, freeEndpoint(t), "error"), "receivers: [reporter]", "receivers: [reporter], processors: [tardy]", 1)
	cmd := NewCommand(factories, "v1.2.3")
	cmd.SetArgs([]string{"--config", "yaml:processors: {tardy: }", "--config", "yaml:" + text})
	cmd.SilenceErrors = true
	ended := make(chan error, 1)
	go func() { ended <- cmd.ExecuteContext(context.WithoutCancel(t.Context())) }()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("got %v", err)
		}
	case <-time.After(25 * time.Second): // Before the deadline ends the tests.
		t.Fatal("the collector hangs")
	}
}
