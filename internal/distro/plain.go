package distro

import (
	"fmt"
	"io"
	"strings"

	"go.uber.org/zap/zapcore"
)

// ownCode begins the name of every function of this project.
const ownCode = "github.com/otelcol-custody/custody/"

// plainCore writes log entries for a person at a terminal: what this project's
// own code says, and every warning and error, one short line each. The notes of
// the collector's machinery are left out.
type plainCore struct {
	out    zapcore.WriteSyncer
	least  zapcore.Level
	own    bool // leave others' warnings and errors out, too
	fields []zapcore.Field
}

func (c plainCore) Enabled(level zapcore.Level) bool { return level >= c.least }

func (c plainCore) With(fields []zapcore.Field) zapcore.Core {
	c.fields = append(c.fields[:len(c.fields):len(c.fields)], fields...)
	return c
}

func (c plainCore) Check(e zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if !c.Enabled(e.Level) {
		return ce
	}
	return ce.AddCore(e, c)
}

// Write runs after the entry's caller is known, which Check cannot see.
func (c plainCore) Write(e zapcore.Entry, fields []zapcore.Field) error {
	if (c.own || e.Level < zapcore.WarnLevel) && !strings.HasPrefix(e.Caller.Function, ownCode) {
		return nil
	}
	var line strings.Builder
	line.WriteString(e.Time.Format("15:04:05  "))
	if e.Level >= zapcore.WarnLevel {
		line.WriteString(e.Level.String() + ": ")
	}
	line.WriteString(e.Message)
	for _, f := range append(c.fields[:len(c.fields):len(c.fields)], fields...) {
		writeField(&line, f)
	}
	line.WriteByte('\n')
	_, err := io.WriteString(c.out, line.String())
	return err
}

func (c plainCore) Sync() error { return c.out.Sync() }

// writeField appends " key=value", or nothing for what only machines need.
func writeField(line *strings.Builder, f zapcore.Field) {
	if f.Key == "resource" || strings.HasPrefix(f.Key, "otelcol.") || f.Key == "stacktrace" {
		return
	}
	values := zapcore.NewMapObjectEncoder()
	f.AddTo(values)
	if v, ok := values.Fields[f.Key]; ok {
		fmt.Fprintf(line, " %s=%v", f.Key, v)
	}
}
