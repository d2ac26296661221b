package cases

import (
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/sallyport/sallyport/core/config"
)

// fakes are servers on loopback in the place of a config's upstreams. They may be used by many goroutines.
type fakes struct {
	addresses map[string]string // by the name of the upstream
	servers   []*http.Server

	mu      sync.Mutex
	answers map[string]config.CaseResponse
	seen    map[string]*message // the last request to each
}

// startFakes opens a server for each upstream.
func startFakes(cfg *config.Config) (*fakes, error) {
	f := &fakes{addresses: map[string]string{}}
	for name := range cfg.Upstreams {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			f.close()
			return nil, err
		}
		s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { f.serve(name, w, r) })}
		f.servers = append(f.servers, s)
		f.addresses[name] = l.Addr().String()
		go func() { _ = s.Serve(l) }() // it ends when the server is closed
	}
	return f, nil
}

func (f *fakes) close() {
	for _, s := range f.servers {
		_ = s.Close() // the gateways that had connections are gone
	}
}

// instead returns the config with the fakes as upstreams, and with no door to the world.
func (f *fakes) instead(cfg *config.Config) *config.Config {
	c := *cfg
	c.Server.Listen, c.Admin, c.Log.Access = nil, nil, "off"
	c.Upstreams = map[string]config.Upstream{}
	for name, u := range cfg.Upstreams {
		c.Upstreams[name] = config.Upstream{
			Endpoints: []config.Endpoint{{Address: f.addresses[name], Weight: 1}}, Policy: "round_robin",
			ConnectTimeout: u.ConnectTimeout, ResponseTimeout: u.ResponseTimeout, IdleTimeout: u.IdleTimeout, MaxIdle: u.MaxIdle,
		}
	}
	return &c
}

// prepare sets the answers of the next case.
func (f *fakes) prepare(answers map[string]config.CaseResponse) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answers, f.seen = answers, map[string]*message{}
}

// last returns the last request that an upstream got, nil if it got none.
func (f *fakes) last(name string) *message {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seen[name]
}

func (f *fakes) serve(name string, w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body) // what was cut off shows in what is compared
	path, query, _ := strings.Cut(r.RequestURI, "?")
	f.mu.Lock()
	f.seen[name] = &message{
		texts:  map[string]string{"name": name, "method": r.Method, "host": r.Host, "path": path, "query": query},
		fields: sortedFields(r.Header),
		body:   string(body),
	}
	a, prepared := f.answers[name]
	f.mu.Unlock()
	if !prepared {
		a.Status = http.StatusOK
	}
	if a.Down {
		panic(http.ErrAbortHandler) // cuts the connection without an answer
	}
	w.Header()["Date"], w.Header()["Content-Type"] = nil, nil // nothing that the case does not say
	for _, field := range a.Fields {
		w.Header().Add(field.Name, field.Value)
	}
	w.WriteHeader(a.Status)
	_, _ = io.WriteString(w, a.Body) // as above
}

func sortedKeys(h http.Header) []string { return slices.Sorted(maps.Keys(h)) }
