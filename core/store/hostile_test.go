package store

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/limit"
)

// impostor is a server that says it is a Redis and answers commands as a test wants.
func impostor(t *testing.T, reply func(command string) string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	return serve(t, l, reply)
}

func serve(t *testing.T, l net.Listener, reply func(command string) string) string {
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go impose(c, reply)
		}
	}()
	return l.Addr().String()
}

// impose reads commands, which are arrays of strings, and answers them.
func impose(c net.Conn, reply func(command string) string) {
	defer c.Close()
	r := bufio.NewReader(c)
	for {
		var n int
		if _, err := fmt.Fscanf(r, "*%d\r\n", &n); err != nil {
			return
		}
		var words []string
		for range n {
			var size int
			if _, err := fmt.Fscanf(r, "$%d\r\n", &size); err != nil {
				return
			}
			word := make([]byte, size+2)
			if _, err := io.ReadFull(r, word); err != nil {
				return
			}
			words = append(words, string(word[:size]))
		}
		if _, err := io.WriteString(c, reply(strings.Join(words, " "))); err != nil {
			return
		}
	}
}

// A Redis that is none, or is not well, is an error in time, and never a decision or a crash.
func TestHostileReplies(t *testing.T) {
	p := policies()[0]
	for name, text := range map[string]string{
		"loading":           "-LOADING Redis is loading the dataset in memory\r\n",
		"read only":         "-READONLY You can't write against a read only replica.\r\n",
		"moved":             "-MOVED 1 127.0.0.1:1\r\n",
		"moved to nonsense": "-MOVED\r\n",
		"ask":               "-ASK 1 127.0.0.1:1\r\n",
		"no script":         "-NOSCRIPT no matching script\r\n",
		"text":              "HTTP/1.1 400 Bad Request\r\n\r\n",
		"zeros":             strings.Repeat("\x00", 100) + "\r\n",
		"too few":           "*1\r\n:1\r\n",
		"too many":          "*8\r\n" + strings.Repeat(":1\r\n", 8),
		"negative":          "*7\r\n:1\r\n:-5\r\n:-5\r\n" + strings.Repeat(":0\r\n", 4),
		"huge":              "*7\r\n:1\r\n:5\r\n:9223372036854775807\r\n" + strings.Repeat(":0\r\n", 4),
		"no integers":       "*7\r\n" + strings.Repeat("$1\r\nx\r\n", 7),
		"nothing":           "_\r\n",
		"unasked":           ":1\r\n:2\r\n:3\r\n",
		"huge length":       "*2147483647\r\n",
		"negative length":   "*-7\r\n",
		"huge string":       "$1000000000000\r\n",
		"no number":         "*x\r\n",
		"deep":              strings.Repeat("*1\r\n", 100_000),
		"push":              ">2\r\n$7\r\nmessage\r\n:1\r\n",
		"cut off":           "*7\r\n:1\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			at := impostor(t, asRedis(text))
			r := NewRedis(RedisOptions{Addresses: []string{at}, Prefix: "test:", Timeout: 100 * time.Millisecond, Keep: time.Hour})
			defer r.Close()
			ask := []limit.Ask{{Policy: p, Limit: "l", Key: "k", N: 1}}
			for range 2 {
				if err := r.Take("", ask, make([]limit.Decision, 1)); err == nil {
					t.Error("a decision was made")
				}
				if known, err := r.Book(ask); err == nil && known[0].Err == nil {
					t.Error("it was booked")
				}
			}
		})
	}
}

// asRedis answers as a Redis does until it is asked for something.
func asRedis(text string) func(command string) string {
	return func(command string) string {
		switch word, _, _ := strings.Cut(command, " "); word {
		case "HELLO":
			return "%2\r\n$6\r\nserver\r\n$5\r\nredis\r\n$5\r\nproto\r\n:3\r\n"
		case "CLIENT":
			return "+OK\r\n"
		case "CLUSTER":
			return "-ERR This instance has cluster support disabled\r\n"
		case "PING":
			return "+PONG\r\n"
		}
		return text
	}
}

// A server that writes no more has handed over to another, which the same name may lead to: the gateway connects anew.
func TestLeavesAReplica(t *testing.T) {
	var greeted atomic.Int64
	refuse, answer := asRedis("-READONLY You can't write against a read only replica.\r\n"), asRedis("*7\r\n"+strings.Repeat(":1\r\n", 7))
	at := impostor(t, func(command string) string {
		if strings.HasPrefix(command, "HELLO") {
			greeted.Add(1)
		}
		if greeted.Load() < 3 {
			return refuse(command)
		}
		return answer(command)
	})
	r := NewRedis(RedisOptions{Addresses: []string{at}, Timeout: patient, Keep: time.Hour})
	defer r.Close()
	ask := []limit.Ask{{Policy: policies()[0], Limit: "l", Key: "k", N: 1}}
	waitFor(t, "there is another", func() bool { return r.Take("", ask, make([]limit.Decision, 1)) == nil })
}

// Over TLS it is the server of the address that must show who it is.
func TestTLSIsVerified(t *testing.T) {
	known := httptest.NewTLSServer(nil)
	defer known.Close()
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: known.TLS.Certificates})
	must(t, err)
	at := serve(t, l, asRedis("*7\r\n"+strings.Repeat(":1\r\n", 7)))
	_, port, _ := net.SplitHostPort(at)
	roots := x509.NewCertPool()
	roots.AddCert(known.Certificate())
	for _, c := range []struct {
		address string
		roots   *x509.CertPool
		ok      bool
	}{
		{at, roots, true},
		{"localhost:" + port, roots, false}, // the certificate does not have the name
		{at, x509.NewCertPool(), false},
	} {
		r := NewRedis(RedisOptions{Addresses: []string{c.address}, Timeout: patient, Keep: time.Hour, TLS: &tls.Config{RootCAs: c.roots}})
		err := r.Take("", []limit.Ask{{Policy: policies()[0], Limit: "l", Key: "k", N: 1}}, make([]limit.Decision, 1))
		if (err == nil) != c.ok {
			t.Errorf("%s: got %v", c.address, err)
		}
		r.Close()
	}
}
