// Package redis gives tests a redis-server of their own on loopback.
package redis

import (
	"bufio"
	"fmt"
	"net"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/gatewaytest/certs"
	"github.com/sallyport/sallyport/core/gatewaytest/free"
	"github.com/sallyport/sallyport/core/gatewaytest/wat"
)

// Server is a redis-server on loopback. It ends with its test.
type Server struct {
	Addr string // host:port; the same after a new Start

	t    testing.TB
	args []string
	cmd  *exec.Cmd
}

// New starts a server with further arguments, such as "--requirepass", "word". Without redis-server the test is skipped; CI has it.
func New(t testing.TB, args ...string) *Server {
	t.Helper()
	return start(t, free.Address(t), args)
}

// NewTLS starts a server that speaks TLS alone, to clients with a certificate of the same authority. Do does not work with it.
func NewTLS(t testing.TB, pair *certs.Pair) *Server {
	t.Helper()
	address := free.Address(t)
	_, port, _ := net.SplitHostPort(address)
	return start(t, address, []string{"--port", "0", "--tls-port", port, "--tls-cert-file", pair.Cert, "--tls-key-file", pair.Key, "--tls-ca-cert-file", pair.CA})
}

func start(t testing.TB, address string, args []string) *Server {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		wat.Missing(t, "redis-server")
	}
	s := &Server{Addr: address, t: t, args: args}
	s.Start()
	t.Cleanup(s.Kill)
	return s
}

// Start starts it again after Kill, empty.
func (s *Server) Start() {
	s.t.Helper()
	_, port, _ := net.SplitHostPort(s.Addr)
	args := append([]string{"--bind", "127.0.0.1", "--port", port, "--save", "", "--appendonly", "no", "--dir", s.t.TempDir()}, s.args...)
	s.cmd = exec.Command("redis-server", args...)
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		if c, err := net.Dial("tcp", s.Addr); err == nil {
			c.Close()
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatal("redis-server does not listen")
		}
	}
}

// Kill ends it at once.
func (s *Server) Kill() {
	_ = s.cmd.Process.Kill() // it may have ended
	_ = s.cmd.Wait()         // or have been waited for
}

// Pause keeps it from answering until Resume; connections stay open.
func (s *Server) Pause() { s.signal(syscall.SIGSTOP) }

// Resume ends Pause.
func (s *Server) Resume() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(sig syscall.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
}

// Do sends a command in words and returns the lines of the answer, those of lengths and counts left out.
func (s *Server) Do(words ...string) []string {
	s.t.Helper()
	c, err := net.Dial("tcp", s.Addr)
	if err != nil {
		s.t.Fatal(err)
	}
	defer c.Close()
	command := append(append([]string{}, words...), "\r\nPING\r\n")
	if _, err := fmt.Fprint(c, strings.Join(command, " ")); err != nil {
		s.t.Fatal(err)
	}
	var answer []string
	for lines := bufio.NewScanner(c); lines.Scan(); {
		switch line := lines.Text(); {
		case line == "+PONG":
			return answer
		case strings.HasPrefix(line, "$") || strings.HasPrefix(line, "*"):
		default:
			answer = append(answer, line)
		}
	}
	s.t.Fatalf("%v: the answer ends in %v", words, answer)
	return nil
}
