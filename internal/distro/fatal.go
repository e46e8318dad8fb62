package distro

import (
	"context"
	"sync/atomic"

	"go.uber.org/zap/zapcore"
)

// stopMessages are what the collector logs, and all it does, when it stops
// itself. It offers no other way to learn of it; a test runs a real collector
// into a fatal status, so an upgrade that changes the words is noticed.
var stopMessages = map[string]bool{
	"Asynchronous error received, terminating process": true,
	"Config watch failed":                              true,
}

// A fatalWatch remembers whether the collector stopped itself, and lets it.
type fatalWatch struct {
	seen     atomic.Bool
	end      context.CancelFunc // of the run's context; set before there is a component
	deadline *deadline
}

// halt ends the run as soon as the collector listens.
func (w *fatalWatch) halt() {
	w.seen.Store(true)
	w.end()
}

func (w *fatalWatch) wrap(core zapcore.Core) zapcore.Core { return fatalCore{core, w} }

// fatalCore shows every error to its watch, whatever level is configured.
type fatalCore struct {
	zapcore.Core
	watch *fatalWatch
}

func (c fatalCore) Enabled(level zapcore.Level) bool {
	return level == zapcore.ErrorLevel || c.Core.Enabled(level)
}

func (c fatalCore) With(fields []zapcore.Field) zapcore.Core {
	return fatalCore{c.Core.With(fields), c.watch}
}

func (c fatalCore) Check(e zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if e.Level == zapcore.ErrorLevel && stopMessages[e.Message] {
		c.watch.seen.Store(true)
	}
	if !c.Core.Enabled(e.Level) {
		return ce
	}
	return c.Core.Check(e, ce)
}
