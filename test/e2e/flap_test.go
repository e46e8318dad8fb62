package e2e

import (
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A mood is how the way to a server is.
type mood int32

const (
	well   mood = iota
	absent      // connections are closed at once
	deaf        // they are taken, and nothing is ever said
	torn        // they end in the middle of an answer
	busy        // answers are 503
	slow
	moods
)

// A flap is a way to a server that is not always open.
type flap struct {
	url  string // of the server, by this way
	to   string
	mood atomic.Int32
}

// newFlap opens a way to the server of a URL.
func newFlap(t *testing.T, server string) *flap {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &flap{to: u.Host, url: strings.Replace(server, u.Host, l.Addr().String(), 1)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go f.pass(c)
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	return f
}

func (f *flap) is(m mood) { f.mood.Store(int32(m)) }

func (f *flap) any(rng *rand.Rand) {
	if rng.IntN(5) < 2 {
		f.is(well)
		return
	}
	f.is(mood(rng.IntN(int(moods))))
}

// byName is a way to a server that wants to be called by its own name.
func byName(t *testing.T, server string) string {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	way := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(u) }, ErrorLog: log.New(io.Discard, "", 0)})
	t.Cleanup(way.Close)
	return way.URL
}

// pass passes a connection on until it ends or the mood changes: clients hold
// connections open for long.
func (f *flap) pass(client net.Conn) {
	defer client.Close()
	now := mood(f.mood.Load())
	switch now {
	case absent:
		return
	case busy:
		_ = client.SetDeadline(time.Now().Add(time.Second))
		_, _ = client.Read(make([]byte, 64<<10))
		_, _ = io.WriteString(client, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		return
	}
	server, err := net.Dial("tcp", f.to)
	if err != nil {
		return
	}
	defer server.Close()
	end := make(chan struct{}, 2)
	go func() {
		_, _ = io.Copy(server, client)
		end <- struct{}{}
	}()
	go func() {
		f.answer(client, server, now)
		end <- struct{}{}
	}()
	for mood(f.mood.Load()) == now {
		select {
		case <-end:
			return
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// answer passes on what the server says, as the mood wants it.
func (f *flap) answer(client, server net.Conn, now mood) {
	for buf := make([]byte, 4<<10); ; {
		n, err := server.Read(buf)
		switch now {
		case deaf:
			n = 0
		case torn:
			_, _ = client.Write(buf[:n*2/3])
			return
		case slow:
			time.Sleep(100 * time.Millisecond)
		}
		if _, failed := client.Write(buf[:n]); err != nil || failed != nil {
			return
		}
	}
}
