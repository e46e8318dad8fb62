package e2e

import (
	"fmt"
	"testing"
)

// What was answered is stored, whichever way it came in.
func TestOTLP(t *testing.T) {
	t.Parallel()
	h := newHome(t, "")
	c := start(t, h)
	b := newBook()
	for name, s := range map[string]send{"grpc": byGRPC(t, h.grpc), "http": byHTTP(t, h.http)} {
		for n := range 30 {
			ids := []string{fmt.Sprintf("%s-%d-a", name, n), fmt.Sprintf("%s-%d-b", name, n)}
			if err := b.deliver(t.Context(), s, ids, 1000); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
	}
	c.stop(t)
	verify(t, 0, h.store(), h.pub())
	records := readStore(t, h.store())
	b.check(t, records)
	if n := len(eventsIn(records)); n != 120 {
		t.Errorf("%d records stored, 120 were sent once", n)
	}
}
