package awscloudtrailreceiver

import (
	"fmt"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/internal/awstest"
)

// An emulator delivers what its S3 notifies, by each way from a bucket to a queue.
func TestNotificationsOfAnEmulator(t *testing.T) {
	m := awstest.StartMoto(t)
	for i, way := range []string{"queue", "topic", "raw topic", "EventBridge"} {
		t.Run(way, func(t *testing.T) {
			name := fmt.Sprintf("trail-%d", i)
			m.Bucket(name)
			address, arn := m.Queue(name, nil)
			switch way {
			case "queue":
				m.Notify(name, arn, "", false)
			case "topic", "raw topic":
				topic := m.Topic(name)
				m.Subscribe(topic, arn, way == "raw topic")
				m.Notify(name, "", topic, false)
			case "EventBridge":
				m.Notify(name, "", "", true)
				m.Rule(name, arn)
			}
			x := &awsFixture{fixture: newFixture(t), queue: address, visibility: time.Minute}
			x.yaml = "endpoint: " + m.Endpoint
			var want []string
			for n := range 3 {
				batch := events(fmt.Sprint(way, n), 7)
				want = append(want, batch...)
				m.Put(name, logKey(n), []byte(packed(t, logFile(batch...))))
			}
			x.start(t)
			until(t, "every event arrived", func() bool { return len(x.next.eventBodies()) >= len(want) })
			sameSet(t, "events", x.next.eventBodies(), want)
		})
	}
}
