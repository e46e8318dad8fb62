package distro

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

func TestPlainLines(t *testing.T) {
	var out bytes.Buffer
	log := zap.New(plainCore{out: zapcore.AddSync(&out)}, zap.AddCaller()).
		With(zap.String("otelcol.component.id", "hash_chain"), zap.String("log", "quickstart"))
	log.Debug("a detail")
	log.Info("sealed 17 records", zap.Uint64("first", 0), zap.Duration("age", 2e9))
	log.Warn("no store can be reached", zap.Error(errors.New("disk full")))

	var got []string
	for line := range strings.Lines(out.String()) {
		got = append(got, line[len("15:04:05  "):])
	}
	want := "sealed 17 records log=quickstart first=0 age=2s\n" +
		"warn: no store can be reached log=quickstart error=disk full\n"
	if strings.Join(got, "") != want {
		t.Errorf("got\n%swant\n%s", strings.Join(got, ""), want)
	}
}

// What the collector says of itself is left out, unless it is a warning.
func TestPlainLinesLeaveTheMachineryOut(t *testing.T) {
	var out bytes.Buffer
	core := plainCore{out: zapcore.AddSync(&out)}
	foreign := zapcore.EntryCaller{Defined: true, Function: "go.opentelemetry.io/collector/service.(*Service).Start"}
	for level, message := range map[zapcore.Level]string{zapcore.InfoLevel: "Starting", zapcore.WarnLevel: "Odd"} {
		if err := core.Write(zapcore.Entry{Level: level, Message: message, Caller: foreign}, nil); err != nil {
			t.Fatal(err)
		}
	}
	if got := out.String(); strings.Contains(got, "Starting") || !strings.Contains(got, "warn: Odd") {
		t.Errorf("got %q", got)
	}
	core.own = true
	out.Reset()
	err := core.Write(zapcore.Entry{Level: zapcore.ErrorLevel, Message: "Try a queue", Caller: foreign}, nil)
	if err != nil || out.Len() > 0 {
		t.Errorf("own words only: got %q, %v", out.String(), err)
	}
}
