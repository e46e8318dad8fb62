package s3store

import (
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// TestStall: a connection on which nothing moves ends; one on which something
// moves in one direction doesn't.
func TestStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer near.Close()
		defer far.Close()
		c := &conn{Conn: near, stall: time.Minute}
		ended := make(chan error)
		go func() {
			_, err := c.Read(make([]byte, 1))
			ended <- err
		}()
		go func() {
			b := make([]byte, 1)
			for {
				if _, err := far.Read(b); err != nil {
					return
				}
			}
		}()
		start := time.Now()
		for range 10 {
			time.Sleep(40 * time.Second)
			if _, err := c.Write([]byte("x")); err != nil {
				t.Fatalf("Write after %v: %v", time.Since(start), err)
			}
		}
		err := <-ended
		if !os.IsTimeout(err) || time.Since(start) != 400*time.Second+time.Minute {
			t.Errorf("Read ended after %v with %v, want a timeout a minute after the last byte", time.Since(start), err)
		}
	})
}

func TestPauseGrowsAndEnds(t *testing.T) {
	for attempt := range 70 {
		if p := pause(attempt); p < firstPause/2 || p > longestPause {
			t.Errorf("pause %d is %v", attempt, p)
		}
	}
	if pause(1) >= pause(5) {
		t.Error("pauses don't grow")
	}
}
