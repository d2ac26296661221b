package plugin

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/gatewaytest/output"
	"github.com/sallyport/sallyport/core/gatewaytest/wat"
)

// cacheDir is where all tests of a run keep compiled code.
var cacheDir string

func TestMain(m *testing.M) {
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "sallyport-plugin-test")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	cacheDir = filepath.Join(dir, "cache")
	before := runtime.NumGoroutine()
	code := m.Run()
	if flag.Lookup("test.fuzz").Value.String() != "" {
		return code // the fuzzer leaves goroutines of its own
	}
	deadline := time.Now().Add(30 * time.Second)
	for runtime.NumGoroutine() > before {
		if time.Now().After(deadline) {
			fmt.Fprintf(os.Stderr, "%d goroutines left, %d at the start\n", runtime.NumGoroutine(), before)
			return 1
		}
		runtime.Gosched()
	}
	return code
}

// logBook keeps log lines for a test to look at.
type logBook struct{ output.Text }

// lines returns the lines written so far, without what differs from run to run.
func (b *logBook) lines(t *testing.T) (lines []map[string]any) {
	t.Helper()
	for line := range strings.Lines(b.String()) {
		fields := make(map[string]any)
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatalf("log line %q: %v", line, err)
		}
		lines = append(lines, fields)
	}
	return lines
}

// newHost returns a Host that is closed with the test, and the log it writes.
func newHost(t testing.TB) (*Host, *logBook) {
	t.Helper()
	book := &logBook{}
	log := slog.New(slog.NewJSONHandler(book, &slog.HandlerOptions{Level: slog.LevelDebug}))
	h, err := NewHost(context.Background(), HostOptions{CacheDir: cacheDir, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return h, book
}

// fixture returns a module of testdata/guests.
func fixture(t testing.TB, name string) []byte {
	t.Helper()
	return wat.Module(t, filepath.Join("..", "..", "testdata", "guests", name+".wat"))
}

// load loads a module of testdata.
func load(t testing.TB, h *Host, name string, l Limits) *Plugin {
	t.Helper()
	p, err := h.Load(name, fixture(t, name), l)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// configure makes a pool of a loaded module.
func configure(t testing.TB, p *Plugin, config []byte) *Pool {
	t.Helper()
	pool, err := p.Configure(config, Grants{})
	if err != nil {
		t.Fatal(err)
	}
	return pool
}

// newPoolOf makes a pool of a module of testdata in a Host of its own.
func newPoolOf(t testing.TB, name string, l Limits) (*Pool, *logBook) {
	t.Helper()
	h, book := newHost(t)
	return configure(t, load(t, h, name, l), nil), book
}

var exchanges exchange.Pool

// newExchange returns a request as the engine would have read it.
func newExchange() *exchange.Exchange {
	x := exchanges.Get()
	x.ID, x.Route = "req-1", "orders"
	x.Addr = netip.MustParseAddr("192.0.2.7")
	x.Req.Method, x.Req.Scheme, x.Req.Host = "GET", "https", "api.example.com"
	x.Req.Path, x.Req.Query = "/orders/a%2Fb", "q=one+two&q=three&empty=&%6B=v%zz"
	x.Req.Fields.Add("Accept", "text/plain")
	x.Req.Fields.Add("X-API-Key", "secret")
	x.Req.Fields.Add("accept", "text/html")
	x.Params = append(x.Params, exchange.Param{Name: "id", Value: "a%2Fb"}, exchange.Param{Name: "rest", Value: "x"})
	return x
}
