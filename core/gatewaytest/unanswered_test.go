package gatewaytest

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// A plugin or a route that answers 444 has the connection closed without a byte; over HTTP/2 it is the stream that ends. An upstream's 444 is its answer.
func TestUnanswered(t *testing.T) {
	g := startBox(t, upstreamsTOML("b", Backend(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(444) }))+`
[[routes]]
name = "plugin"
path = "/plugin"
respond = { status = 204 }
filters = [{ use = "ip-rules", config = { deny = ["127.0.0.0/8"], status = 444 } }]
[[routes]]
name = "route"
path = "/route"
respond = { status = 444 }
[[routes]]
name = "upstream"
path = "/upstream"
upstream = "b"
[[routes]]
name = "fine"
path = "/fine"
respond = { status = 204 }
`, "ip-rules")
	for _, path := range []string{"/plugin", "/route"} {
		for _, body := range []string{"", strings.Repeat("x", 100_000)} {
			request := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", path, len(body))
			c := dialRaw(t, g, request)
			_, _ = io.WriteString(c, body) // it may be closed meanwhile
			if got, _ := io.ReadAll(c); len(got) > 0 {
				t.Errorf("%s: got %q, want nothing", path, got)
			}
		}
		client := http2Client(t)
		for name, value := range map[string]string{"Accept": "*/*", "Content-Type": "application/grpc"} {
			req, err := http.NewRequest("POST", g.URL+path, strings.NewReader("x"))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set(name, value)
			if resp, err := client.Do(req); err == nil {
				resp.Body.Close()
				t.Errorf("%s: %s over HTTP/2: got %d, want a reset stream", path, value, resp.StatusCode)
			}
		}
		if resp, err := client.Get(g.URL + "/fine"); err != nil || resp.StatusCode != 204 {
			t.Errorf("afterwards: got %v, %v", resp, err)
		}
	}
	if status, _, _ := g.Get("/upstream"); status != 444 {
		t.Errorf("the upstream's: got %d", status)
	}
	if err := g.Drain(t.Context()); err != nil { // all has ended then
		t.Fatal(err)
	}
	list, _ := g.Refusals()
	told := map[string]int{}
	for _, r := range list {
		told[r.Route] = r.Status
	}
	if told["plugin"] != 444 || told["route"] != 444 {
		t.Errorf("the refusals tell %v", told)
	}
}
