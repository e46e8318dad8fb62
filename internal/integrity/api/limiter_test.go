package api_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/otelcol-custody/custody/internal/integrity/api"
)

// crowd is an API that answers 10 requests a second, 4 of each client.
type crowd struct{ *world }

func newCrowd(t *testing.T, rate float64) crowd {
	return crowd{newWorld(t, func(c *api.Config) { c.Rate, c.ClientRate = rate, 4 }, 3)}
}

// ask makes a request from each address at once, and counts those that were
// answered at once, after a while, and refused.
func (c crowd) ask(remotes ...string) (once, later, refused int) {
	type answer struct {
		res  *http.Response
		took time.Duration
	}
	answers := make(chan answer, len(remotes))
	began := time.Now()
	for _, remote := range remotes {
		go func() {
			r := httptest.NewRequest(http.MethodGet, "/v1/logs", nil)
			r.RemoteAddr = remote
			rec := httptest.NewRecorder()
			c.api.ServeHTTP(rec, r)
			answers <- answer{rec.Result(), time.Since(began)}
		}()
	}
	for range remotes {
		switch a := <-answers; {
		case a.res.StatusCode == http.StatusOK && a.took == 0:
			once++
		case a.res.StatusCode == http.StatusOK && a.took <= 2*time.Second:
			later++
		default:
			refused++
			refusal(c.t, a.res, "", http.StatusTooManyRequests, "rate")
			if got := a.res.Header.Get("Retry-After"); got != "1" || a.took != 0 {
				c.t.Errorf("refused after %v, retry after %q", a.took, got)
			}
		}
	}
	return once, later, refused
}

func (c crowd) want(what string, once, later, refused int, remotes ...string) {
	c.t.Helper()
	if a, b, d := c.ask(remotes...); a != once || b != later || d != refused {
		c.t.Errorf("%s: %d at once, %d later, %d refused, want %d, %d, %d", what, a, b, d, once, later, refused)
	}
}

func times(n int, remotes ...string) (all []string) {
	for range n {
		all = append(all, remotes...)
	}
	return all
}

func many(format string, from, to int) (all []string) {
	for i := from; i < to; i++ {
		all = append(all, fmt.Sprintf(format, i/256, i%256))
	}
	return all
}

func TestRateOfAClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, 1e6)
		c.want("a burst", 16, 8, 76, times(50, "192.0.2.1:1000", "[::ffff:192.0.2.1]:1001")...)
		time.Sleep(time.Second)
		c.want("a second later", 4, 8, 0, times(12, "192.0.2.1:1000")...)
		c.want("another client", 16, 0, 0, times(16, "192.0.2.2:1000")...)
		c.want("a whole network", 16, 8, 1, many("[2001:db8:1:2:%x::%x%%eth0]:1", 0, 25)...)
		c.want("another network", 16, 0, 0, times(16, "[2001:db8:1:3::1]:1")...)
		c.want("Unix sockets", 16, 8, 6, times(15, "@", "")...)
	})
}

// TestPatientClient: who asks for one thing after the other is never refused.
func TestPatientClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, 1e6)
		began := time.Now()
		for range 100 {
			if _, _, refused := c.ask("192.0.2.1:1000"); refused > 0 {
				t.Fatal("refused")
			}
		}
		if took := time.Since(began); took != 21*time.Second {
			t.Errorf("took %v, want 84 quarters of a second", took)
		}
	})
}

func TestRateOfAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, 10)
		c.want("all", 40, 20, 40, many("192.0.%d.%d:1", 0, 100)...)
		time.Sleep(time.Second)
		// What was refused for others' sake did not count.
		c.want("one of those", 10, 14, 0, times(24, "192.0.0.99:1")...)
	})
}

// TestManyClients: those beyond what is told apart share one account, and get
// their own when others were silent.
func TestManyClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, 1e6)
		c.want("told apart", 4096, 0, 0, many("10.0.%d.%d:1", 0, 4096)...)
		c.want("beyond", 16, 8, 76, many("10.1.%d.%d:1", 0, 100)...)
		time.Sleep(10 * time.Second)
		c.want("after a silence", 100, 0, 0, many("10.1.%d.%d:1", 0, 100)...)
	})
}

// TestGoneClient does not keep its place.
func TestGoneClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, 1e6)
		c.want("a burst", 16, 0, 0, times(16, "192.0.2.1:1")...)
		r := httptest.NewRequest(http.MethodGet, "/v1/logs", nil)
		r.RemoteAddr = "192.0.2.1:1"
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		rec := httptest.NewRecorder()
		began := time.Now()
		c.api.ServeHTTP(rec, r.WithContext(ctx))
		if took := time.Since(began); took != 100*time.Millisecond || rec.Body.Len() > 0 {
			t.Errorf("answered after %v with %q", took, rec.Body)
		}
	})
}
