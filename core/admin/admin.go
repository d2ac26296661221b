// Package admin is the HTTP side door for operators: health, status and reload, on a listener of its own.
package admin

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/sallyport/sallyport/core/gateway"
)

// Options say what the admin API steers.
type Options struct {
	Gateway *gateway.Gateway
	// Reload reads the config again and applies it; its error tells all that is wrong.
	Reload  func() error
	Version string
	Log     *slog.Logger
}

// Server is a running admin API.
type Server struct {
	http *http.Server
	addr net.Addr
}

// Listen opens the address and serves the admin API on it until Close.
func Listen(address string, o Options) (*Server, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	s := &Server{addr: l.Addr(), http: &http.Server{
		Handler:           Handler(o),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug),
	}}
	go func() {
		if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			o.Log.Error("the admin listener failed", "error", err)
		}
	}()
	return s, nil
}

// Addr returns where the server listens.
func (s *Server) Addr() net.Addr { return s.addr }

// Close stops the server, running requests included, once ctx ends.
func (s *Server) Close(ctx context.Context) error {
	if err := s.http.Shutdown(ctx); err != nil {
		return s.http.Close()
	}
	return nil
}

// Handler answers the admin API's requests.
func Handler(o Options) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { writeText(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { ready(w, o.Gateway) })
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, status(o)) })
	serveMetrics(mux, o)
	mux.HandleFunc("POST /reload", func(w http.ResponseWriter, r *http.Request) { reload(w, r, o) })
	return mux
}

func ready(w http.ResponseWriter, g *gateway.Gateway) {
	if g.Ready() {
		writeText(w, http.StatusOK, "ready")
		return
	}
	writeText(w, http.StatusServiceUnavailable, "not ready")
}

// reload refuses what a web page could send on its own: a form or a request from another origin.
func reload(w http.ResponseWriter, r *http.Request, o Options) {
	if r.Header.Get("Origin") != "" {
		writeText(w, http.StatusForbidden, "not from a web page")
		return
	}
	if err := o.Reload(); err != nil {
		writeText(w, http.StatusUnprocessableEntity, err.Error())
		return
	}
	writeJSON(w, http.StatusOK, status(o))
}

func writeText(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write([]byte(text + "\n")) // the client may have gone; nothing follows from it
}

func writeJSON(w http.ResponseWriter, code int, value any) {
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		writeText(w, http.StatusInternalServerError, "cannot encode the answer")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = w.Write(append(text, '\n')) // the client may have gone; nothing follows from it
}
