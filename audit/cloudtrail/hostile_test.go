package cloudtrail

import (
	"strings"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/audit"
)

// TestHostileFilesTakeLinearTime: a megabyte of what this parser looks at more than once
// takes some milliseconds; were one of them quadratic, it would take minutes.
func TestHostileFilesTakeLinearTime(t *testing.T) {
	const size, most = 1 << 20, 2 * time.Second
	for name, shape := range map[string][3]string{
		"wrapper again": {`{"eventVersion":"1.11","requestParameters":{`, `"XRequest":{"VpcId":{"a":1}},`, `"a":1}}`},
		"sets":          {`{"eventVersion":"1.11","requestParameters":{"aSet":{`, `"items":[{"vpcId":"v","vpcId":"w"}],`, `"a":1}}}`},
		"names":         {`{"eventVersion":"1.11","eventSource":"ssm.amazonaws.com","requestParameters":{"names":[`, `"a",`, `"b"]}}`},
		"filters":       {`{"eventVersion":"1.11","eventSource":"ssm.amazonaws.com","requestParameters":{"filters":[`, `{"key":"InstanceIds","values":["x"]},`, `7]}}`},
		"resources":     {`{"eventVersion":"1.11","resources":[`, `{"ARN":"a","ARN":"b"},`, `7]}`},
		"digits":        {`{"eventVersion":"1.11","eventTime":`, `9`, `}`},
		"surrogates":    {`{"eventVersion":"1.11","eventName":"`, `\ud800`, `"}`},
		"messages":      {`{"logEvents":[`, `{"message":"{\"eventVersion\":"},`, `{}]}`},
		"packed":        {``, `{"awslogs":{"data":"H4sI"}}`, ``},
		"no events":     {`[`, `tru,`, `{}]`},
	} {
		data := []byte(shape[0] + strings.Repeat(shape[1], size/len(shape[1])) + shape[2])
		begin := time.Now()
		if _, err := Parse(data, func(*audit.Record) error { return nil }); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took > most {
			t.Errorf("%s: %v", name, took)
		}
	}
}
