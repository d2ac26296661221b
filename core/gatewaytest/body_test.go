package gatewaytest

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport/sallyport/core/gatewaytest/toolchain"
)

// orders are the builds of the plugin that testdata has in two languages: it refuses with a 422 what names no item, hides digits in
// answers, and logs how each exchange ended.
var orders = []struct {
	name  string
	build func(t testing.TB) []byte
}{
	{"TinyGo", func(t testing.TB) []byte { return toolchain.TinyGo(t, "testdata/orders-go") }},
	{"Go", func(t testing.TB) []byte { return toolchain.StockGo(t, "testdata/orders-go") }},
	{"Rust", func(t testing.TB) []byte { return toolchain.Rust(t, "testdata/orders-rust") }},
}

// ordersLimit is the buffer_limit of the plugin.
const ordersLimit = 256 << 10

const ordersRoutes = `[log]
access = "access.log"
[plugins.orders]
buffer_limit = "256KiB"
fuel = 10_000_000_000
time_limit = "20s"
[[routes]]
name = "orders"
path = "/*rest"
upstream = "b"
filters = ["orders"]
[[routes]]
name = "skip"
path = "/skip/*rest"
strip_prefix = "/skip"
upstream = "b"
filters = [{ use = "orders", on_error = "skip" }]
[[routes]]
name = "behind"
path = "/behind"
filters = [{ use = "ratelimit", rate = "1/h" }, "orders"]
respond = { status = 200, body = "through 1" }
[[routes]]
name = "before"
path = "/before"
filters = ["orders", { use = "ratelimit", rate = "1/h" }]
respond = { status = 200, body = "through 1" }
`

// reached is a request as the upstream saw it.
type reached struct {
	method, body string
	length       int64
	trailer      http.Header
}

// shop is an upstream that answers with what it was sent, or with what the path asks for.
type shop struct {
	mu   sync.Mutex
	seen []reached
	hold chan struct{} // what /slow waits for
}

func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body) // a request that is cut short shows in what was seen
	s.mu.Lock()
	s.seen = append(s.seen, reached{r.Method, string(body), r.ContentLength, r.Trailer})
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Etag", `"1"`)
	switch r.URL.Path {
	case "/none":
		w.WriteHeader(204)
	case "/unchanged":
		w.WriteHeader(304)
	case "/empty":
	case "/slow":
		<-s.hold
	case "/large":
		w.Header().Set("Content-Length", fmt.Sprint(ordersLimit+1))
		fallthrough
	case "/large-chunked":
		io.WriteString(w, strings.Repeat("7", ordersLimit+1))
	case "/just":
		io.WriteString(w, strings.Repeat("7", ordersLimit))
	case "/chunked":
		w.(http.Flusher).Flush()
		io.WriteString(w, "room 101")
		w.Header().Set(http.TrailerPrefix+"Checksum", "abc")
	default:
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		w.Write(body)
	}
}

// take returns what was seen since it was last called.
func (s *shop) take() []reached {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := s.seen
	s.seen = nil
	return seen
}

// startOrders runs a gateway with the plugin before a shop.
func startOrders(t *testing.T, wasm []byte) (*Gateway, *shop) {
	t.Helper()
	s := &shop{hold: make(chan struct{})}
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "plugins"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "plugins", "orders.wasm"), wasm, 0o644); err != nil {
		t.Fatal(err)
	}
	return StartIn(t, dir, routes(Backend(t, s.ServeHTTP), ordersRoutes)), s
}

// order is a JSON body of n bytes that names an item.
func order(n int) string {
	const begin, end = `{"note":"`, `","item":"cup"}`
	return begin + strings.Repeat("x1", n)[:n-len(begin)-len(end)] + end
}

// send sends a request whose body has a length, or comes in chunks with a trailer.
func send(t *testing.T, g *Gateway, method, path, body, id string, chunked bool) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequest(method, g.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Request-Id", id)
	if chunked {
		r.Body, r.ContentLength = io.NopCloser(io.MultiReader(strings.NewReader(body))), -1
		r.Trailer = http.Header{"Checksum": {"abc"}}
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(text)
}

func masked(s string) string {
	return strings.Map(func(r rune) rune {
		if '0' <= r && r <= '9' {
			return '#'
		}
		return r
	}, s)
}

const hidden = "text/plain; digits=hidden"

var bodyCases = []struct {
	name, method, path, body string
	chunked                  bool
	status                   int
	want                     string // of the answer; "problem": the gateway's or plugin's own
	length                   int64  // of the answer, -1: none is told
	kind                     string // Content-Type
	passed                   bool   // the upstream was asked
	ended                    string // what the plugin logged at the end, "" for nothing
}{
	{"small", "POST", "/", order(40), false, 200, masked(order(40)), 40, hidden, true, "200 "},
	{"small, chunked", "POST", "/", order(40), true, 200, masked(order(40)), 40, hidden, true, "200 abc"},
	{"100 KiB", "POST", "/", order(100 << 10), false, 200, masked(order(100 << 10)), 100 << 10, hidden, true, "200 "},
	{"100 KiB, chunked", "POST", "/", order(100 << 10), true, 200, masked(order(100 << 10)), 100 << 10, hidden, true, "200 abc"},
	{"as large as may be", "POST", "/", order(ordersLimit), false, 200, masked(order(ordersLimit)), ordersLimit, hidden, true, "200 "},
	{"as large as may be, chunked", "POST", "/", order(ordersLimit), true, 200, masked(order(ordersLimit)), ordersLimit, hidden, true, "200 abc"},
	{"no item", "POST", "/", `{"note":"cup"}`, false, 422, "problem", -2, "application/problem+json", false, "422 "},
	{"no item, chunked", "POST", "/", `{"note":"cup"}`, true, 422, "problem", -2, "application/problem+json", false, "422 abc"},
	{"too large", "POST", "/", order(ordersLimit + 1), false, 413, "problem", -2, "application/problem+json", false, ""},
	{"too large, chunked", "POST", "/", order(ordersLimit + 1), true, 413, "problem", -2, "application/problem+json", false, ""},
	{"too large, and failures are skipped", "POST", "/skip/", order(ordersLimit + 1), false, 413, "problem", -2, "application/problem+json", false, ""},
	{"too large, chunked, and failures are skipped", "POST", "/skip/", order(ordersLimit + 1), true, 413, "problem", -2, "application/problem+json", false, ""},
	{"no body", "GET", "/", "", false, 200, "", 0, "application/json", true, "200 "},
	{"empty chunked body", "POST", "/", "", true, 200, "", 0, "application/json", true, "200 abc"},
	{"HEAD", "HEAD", "/just", "", false, 200, "", -1, "application/json", true, "200 "},
	{"HEAD of something large", "HEAD", "/large", "", false, 200, "", -1, "application/json", true, "200 "},
	{"204", "GET", "/none", "", false, 204, "", 0, "application/json", true, "204 "},
	{"304", "GET", "/unchanged", "", false, 304, "", 0, "", true, "304 "},
	{"empty answer", "GET", "/empty", "", false, 200, "", 0, "application/json", true, "200 "},
	{"chunked answer with trailers", "GET", "/chunked", "", false, 200, "room ###", -1, hidden, true, "200 "},
	{"answer as large as may be", "GET", "/just", "", false, 200, strings.Repeat("#", ordersLimit), ordersLimit, hidden, true, "200 "},
	{"answer too large", "GET", "/large", "", false, 502, "problem", -2, "application/problem+json", true, "502 "},
	{"answer too large, chunked", "GET", "/large-chunked", "", false, 502, "problem", -2, "application/problem+json", true, "502 "},
	{"answer too large, and failures are skipped", "GET", "/skip/large", "", false, 502, "problem", -2, "application/problem+json", true, "502 "},
}

func TestPluginsSeeWholeBodies(t *testing.T) {
	for _, toolchain := range orders {
		t.Run(toolchain.name, func(t *testing.T) {
			wasm := toolchain.build(t)
			t.Run("bodies", func(t *testing.T) { testBodies(t, wasm) })
			t.Run("ends", func(t *testing.T) { testEnds(t, wasm) })
			t.Run("expectations", func(t *testing.T) { testExpectations(t, wasm) })
		})
	}
}

func testBodies(t *testing.T, wasm []byte) {
	g, s := startOrders(t, wasm)
	for i, tt := range bodyCases {
		t.Run(tt.name, func(t *testing.T) {
			resp, body := send(t, g, tt.method, tt.path, tt.body, caseID(i), tt.chunked)
			if resp.StatusCode != tt.status || resp.Header.Get("Content-Type") != tt.kind {
				t.Errorf("got %d %s, want %d %s", resp.StatusCode, resp.Header.Get("Content-Type"), tt.status, tt.kind)
			}
			switch {
			case tt.want == "problem":
				if !strings.Contains(body, fmt.Sprintf(`"status":%d`, tt.status)) || resp.ContentLength != int64(len(body)) {
					t.Errorf("got %d bytes: %s", resp.ContentLength, body)
				}
			case body != tt.want || resp.ContentLength != tt.length:
				t.Errorf("got %d bytes, %.60q; want %d, %.60q", resp.ContentLength, body, tt.length, tt.want)
			}
			checkReached(t, s.take(), tt.passed, tt.method, tt.body, tt.chunked)
		})
	}
	for i, tt := range bodyCases {
		checkEnded(t, g, caseID(i), tt.ended)
	}
	if t.Failed() {
		t.Log(g.Logs())
	}
}

func caseID(i int) string { return fmt.Sprintf("case-%d", i) }

// checkReached holds what the upstream saw to what was sent: nobody has written the body, so it must be the same.
func checkReached(t *testing.T, seen []reached, passed bool, method, body string, chunked bool) {
	t.Helper()
	switch {
	case !passed && len(seen) > 0:
		t.Errorf("the upstream was asked: %.100v", seen)
	case !passed:
	case len(seen) != 1 || seen[0].method != method || seen[0].body != body:
		t.Errorf("the upstream saw %.100v", seen)
	case chunked && seen[0].trailer.Get("Checksum") != "abc":
		t.Errorf("the upstream saw the trailers %v", seen[0].trailer)
	case !chunked && seen[0].length != int64(len(body)):
		t.Errorf("the upstream was told %d bytes, want %d", seen[0].length, len(body))
	}
}

// checkEnded waits until the exchange is in the access log, which is written behind the chain's end, and holds what the plugin said at
// the end to want.
func checkEnded(t *testing.T, g *Gateway, id, want string) {
	t.Helper()
	Until(t, "the exchange has ended", func() bool {
		access, err := os.ReadFile(filepath.Join(g.Dir, "access.log"))
		return err == nil && strings.Contains(string(access), `"`+id+`"`)
	})
	var ends []string
	for line := range strings.Lines(g.Logs()) {
		if _, said, ok := strings.Cut(line, `"text":"ended with `); ok && strings.Contains(said, `"request_id":"`+id+`"`) {
			ends = append(ends, said[:strings.IndexByte(said, '"')])
		}
	}
	if got := strings.Join(ends, ", "); got != want {
		t.Errorf("%s: the ends are %q, want %q", id, got, want)
	}
}

// testEnds: the end comes once, whatever happens.
func testEnds(t *testing.T, wasm []byte) {
	g, s := startOrders(t, wasm)
	t.Run("another filter answers behind it", func(t *testing.T) {
		for i, want := range []int{200, 429} {
			id := fmt.Sprintf("before-%d", i)
			if resp, _ := send(t, g, "GET", "/before", "", id, false); resp.StatusCode != want {
				t.Errorf("got %d, want %d", resp.StatusCode, want)
			}
			checkEnded(t, g, id, fmt.Sprint(want, " "))
		}
	})
	t.Run("another filter answers before it", func(t *testing.T) {
		for i, want := range []string{"200 ", ""} {
			id := fmt.Sprintf("behind-%d", i)
			send(t, g, "GET", "/behind", "", id, false)
			checkEnded(t, g, id, want)
		}
	})
	t.Run("the client hangs up while the upstream thinks", func(t *testing.T) {
		c := dialRaw(t, g, "GET /slow HTTP/1.1\r\nHost: a\r\nX-Request-Id: gone-1\r\n\r\n")
		Until(t, "the upstream is asked", func() bool { return len(s.take()) > 0 })
		c.Close()
		checkEnded(t, g, "gone-1", "499 ")
		close(s.hold)
	})
	t.Run("the client hangs up within its body", func(t *testing.T) {
		c := dialRaw(t, g, "POST / HTTP/1.1\r\nHost: a\r\nX-Request-Id: gone-2\r\nContent-Length: 100\r\n\r\n{")
		c.Close()
		checkEnded(t, g, "gone-2", "") // it never came to the filter's decision
		if seen := s.take(); len(seen) > 0 {
			t.Errorf("the upstream was asked: %v", seen)
		}
	})
}

// testExpectations: a client that asks first is told to go on only with content that can be held.
func testExpectations(t *testing.T, wasm []byte) {
	g, _ := startOrders(t, wasm)
	for _, tt := range []struct {
		size int
		want string
	}{{40, "100"}, {ordersLimit + 1, "413"}} {
		c := dialRaw(t, g, fmt.Sprintf("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n", tt.size))
		r := bufio.NewReader(c)
		if line, err := r.ReadString('\n'); err != nil || !strings.HasPrefix(line, "HTTP/1.1 "+tt.want) {
			t.Errorf("got %q, %v; want %s", line, err, tt.want)
		}
		if tt.want != "100" {
			continue
		}
		if _, err := io.WriteString(c, order(tt.size)); err != nil {
			t.Fatal(err)
		}
		if rest, err := io.ReadAll(r); err != nil || !strings.Contains(string(rest), "HTTP/1.1 200") || !strings.HasSuffix(string(rest), masked(order(tt.size))) {
			t.Errorf("got %q, %v", rest, err)
		}
	}
}
