package api

import (
	"context"
	"net/netip"
	"sync"
	"time"
)

// A limiter counts requests of all clients and of each.
type limiter struct {
	perAll, perClient time.Duration // between requests that go on and on

	mu      sync.Mutex // guards what follows
	all     account
	clients map[netip.Addr]*account
	others  account // of clients for whom there is no room
	swept   time.Time
}

// account is the moment at which all requests so far would have been answered, had
// each taken its share of the time.
type account time.Time

func newLimiter(all, perClient float64) *limiter {
	share := func(rate float64) time.Duration { return time.Duration(float64(time.Second) / rate) }
	return &limiter{perAll: share(all), perClient: share(perClient), clients: map[netip.Addr]*account{}}
}

// take counts a request, and says after which time it may be answered. One that
// would wait for longer than maxWait is refused, and does not count.
func (l *limiter) take(remote string, now time.Time) (wait time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	one := l.client(clientOf(remote), now)
	wait = max(one.wait(now, l.perClient), l.all.wait(now, l.perAll), 0)
	if wait > maxWait {
		return wait - maxWait, false
	}
	one.add(now, l.perClient)
	l.all.add(now, l.perAll)
	return wait, true
}

func (a *account) wait(now time.Time, share time.Duration) time.Duration {
	return a.from(now).Sub(now) + share - max(burst, share)
}

func (a *account) add(now time.Time, share time.Duration) { *a = account(a.from(now).Add(share)) }

// from is where the next request begins its share.
func (a *account) from(now time.Time) time.Time {
	if at := time.Time(*a); at.After(now) {
		return at
	}
	return now
}

// client is the account of an address. The caller holds mu.
func (l *limiter) client(addr netip.Addr, now time.Time) *account {
	if c := l.clients[addr]; c != nil {
		return c
	}
	if len(l.clients) >= maxClients {
		l.sweep(now)
	}
	if len(l.clients) >= maxClients {
		return &l.others
	}
	c := &account{}
	l.clients[addr] = c
	return c
}

// sweep forgets, once a second at most, those who may ask as if they were new. The
// caller holds mu.
func (l *limiter) sweep(now time.Time) {
	if now.Sub(l.swept) < time.Second {
		return
	}
	l.swept = now
	for addr, c := range l.clients {
		if time.Time(*c).Before(now) {
			delete(l.clients, addr)
		}
	}
}

// wait returns false if ctx ends first.
func wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// clientOf is who asks: an IPv4 address, or the network of an IPv6 one, out of
// which one client can take any. Headers are not believed. All whose address
// cannot be told, as over a Unix socket, are one.
func clientOf(remote string) netip.Addr {
	at, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Addr{}
	}
	addr := at.Addr().Unmap().WithZone("")
	if addr.Is4() {
		return addr
	}
	network, err := addr.Prefix(64)
	if err != nil {
		return addr
	}
	return network.Addr()
}
