package engine

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/gatewaytest/output"
)

func TestClientKey(t *testing.T) {
	for addr, want := range map[string]string{
		"192.0.2.7":            "192.0.2.7",
		"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::",
		"::1":                  "::",
	} {
		if got := clientKey(netip.MustParseAddr(addr)).String(); got != want {
			t.Errorf("%s: got %s, want %s", addr, got, want)
		}
	}
}

// isTurnedAway reports whether a new connection is closed without a word.
func isTurnedAway(t *testing.T, l *Listener) bool {
	t.Helper()
	nc, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		return errors.Is(err, syscall.ECONNRESET) // so soon
	}
	defer nc.Close()
	_ = nc.SetDeadline(time.Now().Add(patience))
	n, err := nc.Read(make([]byte, 1))
	return n == 0 && (err == io.EOF || errors.Is(err, syscall.ECONNRESET))
}

func TestConnectionsPerIP(t *testing.T) {
	var log output.Text
	l, _ := startLogging(t, Options{ConnectionsPerIP: 2}, &log, func(x *exchange.Exchange) { answer200(x, "ok") })
	first := []*net.TCPConn{dial(t, l), dial(t, l)}
	for _, nc := range first {
		send(t, nc, getOne)
		readTo(t, nc, "ok")
	}
	for range 5 {
		if !isTurnedAway(t, l) {
			t.Error("a third connection was taken")
		}
	}
	if got := l.Refused(); got != 5 {
		t.Errorf("refused: got %d, want 5", got)
	}
	if got := strings.Count(log.String(), "too many connections"); got != 1 {
		t.Errorf("got %d log lines, want 1:\n%s", got, log.String())
	}
	first[0].Close()
	eventually(t, "the place is free", func() bool { l.mu.Lock(); defer l.mu.Unlock(); return len(l.conns) == 1 })
	again := dial(t, l)
	send(t, again, getOne)
	readTo(t, again, "ok")
	l.SetOptions(Options{ConnectionsPerIP: 3})
	further := dial(t, l)
	send(t, further, getOne)
	readTo(t, further, "ok")
}

// TestTrustedProxiesMayConnect: a load balancer in front is one address for all its clients.
func TestTrustedProxiesMayConnect(t *testing.T) {
	l, _ := start(t, Options{ConnectionsPerIP: 1, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}},
		func(x *exchange.Exchange) { answer200(x, "ok") })
	for range 3 {
		nc := dial(t, l)
		send(t, nc, getOne)
		readTo(t, nc, "ok")
	}
}

// TestConnectionsPerIPHammer opens and closes from several addresses at once: nobody ever has too many, and nothing is left.
func TestConnectionsPerIPHammer(t *testing.T) {
	const limit = 3
	l, _ := start(t, Options{ConnectionsPerIP: limit}, func(x *exchange.Exchange) { answer200(x, "ok") })
	var served atomic.Int64
	var wait sync.WaitGroup
	for client := range 4 {
		local := &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(2+client))}
		for range 3 * limit {
			wait.Go(func() {
				for range 50 {
					if visit(t, l, local) {
						served.Add(1)
					}
				}
			})
		}
	}
	stop := make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				checkCounts(t, l, limit)
			}
		}
	})
	wait.Wait()
	close(stop)
	watch.Wait()
	eventually(t, "all are gone", func() bool { l.mu.Lock(); defer l.mu.Unlock(); return len(l.conns) == 0 })
	if n := len(l.clients.open); n != 0 || served.Load() == 0 {
		t.Errorf("%d clients are left, %d requests were served", n, served.Load())
	}
}

// visit sends one request from a local address; it reports whether that was answered.
func visit(t *testing.T, l *Listener, local *net.TCPAddr) bool {
	d := net.Dialer{LocalAddr: local, Timeout: patience}
	nc, err := d.Dial("tcp", l.Addr().String())
	if err != nil {
		return false // a reset may be here before the connection is
	}
	defer nc.Close()
	_ = nc.SetDeadline(time.Now().Add(patience))
	_ = nc.(*net.TCPConn).SetLinger(0) // no ports are left waiting
	if _, err := io.WriteString(nc, getOne); err != nil {
		return false
	}
	answer := make([]byte, 1024)
	n, err := nc.Read(answer)
	if err != nil && !errors.Is(err, syscall.ECONNRESET) && err != io.EOF {
		t.Errorf("neither answered nor turned away: %v", err)
	}
	return bytes.HasSuffix(answer[:n], []byte("ok"))
}

func checkCounts(t *testing.T, l *Listener, limit int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	total := 0
	for addr, n := range l.clients.open {
		if total += n; n < 1 || n > limit {
			t.Errorf("%s has %d connections", addr, n)
		}
	}
	if total != len(l.conns) {
		t.Errorf("%d connections are counted, %d are open", total, len(l.conns))
	}
}
