// Package admin is the HTTP side door for operators: what there is, why it does what it does, and the few things that can be changed while
// the gateway runs. It has a listener of its own.
package admin

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/sallyport/sallyport/core/gateway"
)

// Options say what the admin API steers.
type Options struct {
	Gateway *gateway.Gateway
	// Reload reads the config again and applies it, for who; its error tells all that is wrong.
	Reload  func(who string) error
	Version string
	Log     *slog.Logger
	Level   *slog.LevelVar // of the log; nil: it cannot be changed
	History *History       // nil: there is none to tell
}

// Server is a running admin API.
type Server struct {
	http    *http.Server
	addr    net.Addr
	address string
	access  atomic.Pointer[Access]
}

// Bounds of what clients can take up.
const (
	headTime   = 5 * time.Second
	bodyTime   = 30 * time.Second
	answerTime = 30 * time.Second // for writing an answer, beyond the time that it says it takes
	idleTime   = time.Minute
	maxHead    = 16 << 10
	maxBody    = 64 << 10
	maxConns   = 512
)

// Listen opens the address, host:port or "unix:" and a path, and serves the admin API on it until Close to those whom access lets in.
func Listen(address string, access *Access, o Options) (*Server, error) {
	l, err := listen(address)
	if err != nil {
		return nil, err
	}
	s := &Server{addr: l.Addr(), address: address}
	s.access.Store(access)
	s.http = &http.Server{
		Handler:           newHandler(o, &s.access),
		ReadHeaderTimeout: headTime,
		ReadTimeout:       bodyTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    maxHead,
		TLSNextProto:      map[string]func(*http.Server, *tls.Conn, http.Handler){}, // HTTP/2 is of no use here
		ErrorLog:          slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug),
	}
	go func() {
		if err := s.http.Serve(&door{Listener: l, access: &s.access, room: make(chan struct{}, maxConns)}); !errors.Is(err, http.ErrServerClosed) {
			o.Log.Error("the admin listener failed", "error", err)
		}
	}()
	return s, nil
}

// Handler answers the admin API's requests, for those whom access lets in.
func Handler(access *Access, o Options) http.Handler {
	held := &atomic.Pointer[Access]{}
	held.Store(access)
	return newHandler(o, held)
}

// Addr returns where the server listens.
func (s *Server) Addr() net.Addr { return s.addr }

// Address returns the address as Listen was given it.
func (s *Server) Address() string { return s.address }

// SetAccess changes who is let in, from the next request on, and TLS from the next connection on.
func (s *Server) SetAccess(a *Access) { s.access.Store(a) }

// Close stops the server, running requests included, once ctx ends.
func (s *Server) Close(ctx context.Context) error {
	if err := s.http.Shutdown(ctx); err != nil {
		return s.http.Close()
	}
	return nil
}
