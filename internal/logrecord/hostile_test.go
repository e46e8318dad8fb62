package logrecord

import (
	"encoding/binary"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/plog"
)

// deepMessage is a LogsData message with one record whose body nests lists to
// depth, written back to front.
func deepMessage(depth int) []byte {
	buf := make([]byte, 32*depth+1024)
	at := len(buf)
	wrap := func(field byte) {
		var length [binary.MaxVarintLen64]byte
		n := binary.PutUvarint(length[:], uint64(len(buf)-at))
		at -= n
		copy(buf[at:], length[:n])
		at--
		buf[at] = field<<3 | 2
	}
	for range depth {
		wrap(1) // ArrayValue.values
		wrap(5) // AnyValue.array_value
	}
	for _, field := range []byte{5, 2, 2, 1} { // body, log_records, scope_logs, resource_logs
		wrap(field)
	}
	return buf[at:]
}

// A producer decides how deep values nest; it must not decide how much stack the
// collector takes. A million levels used to kill the process.
func TestMillionLevels(t *testing.T) {
	depth := 1_000_000
	if testing.Short() {
		depth = 100_000
	}
	ld, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(deepMessage(depth))
	if err != nil {
		t.Fatal(err)
	}
	var c Converter
	n := 0
	err = c.Each(ld, func(line []byte, info Info) error {
		n++
		if !info.Oversize || !strings.Contains(string(line), `"reason":"nesting"`) {
			t.Errorf("sealed as %.200s", line)
		}
		return nil
	})
	if err != nil || n != 1 {
		t.Errorf("%d records, %v", n, err)
	}
}
