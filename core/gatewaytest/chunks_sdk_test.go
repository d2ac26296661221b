package gatewaytest

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

const streamTOML = `[plugins.stream]
time_limit = "10s"
[[routes]]
name = "any"
path = "/any"
upstream = "b"
filters = ["stream"]
[[routes]]
name = "bound"
path = "/bound"
upstream = "b"
filters = [{ use = "stream", config = { bound = true } }]
`

// Each piece comes through a chunk hook before the next one is sent, in both directions at once.
func TestChunksThroughTheSDKs(t *testing.T) {
	eachBuild(t, "testdata/stream-go", "testdata/stream-rust", func(t *testing.T, wasm []byte) {
		g := startPlugin(t, "stream", wasm, upstreamsTOML("b", Backend(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("X-Whole") != "" {
				body, _ := io.ReadAll(r.Body) // what breaks off is not answered
				_, _ = w.Write(body)
				return
			}
			fullDuplex(t, w)
			piece := make([]byte, 64)
			for {
				n, err := r.Body.Read(piece)
				_, _ = w.Write(piece[:n])
				_ = http.NewResponseController(w).Flush()
				if err != nil {
					return
				}
			}
		}))+streamTOML)
		for i, path := range []string{"/any", "/bound"} {
			back, send := io.Pipe()
			r, err := http.NewRequest("POST", g.URL+path, back)
			if err != nil {
				t.Fatal(err)
			}
			answers := make(chan *http.Response, 1)
			go func() {
				resp, err := http.DefaultTransport.RoundTrip(r)
				if err != nil {
					t.Error(err)
				}
				answers <- resp
			}()
			var resp *http.Response
			for _, piece := range []struct{ sent, want string }{{"card 4711", "card ####"}, {"none", "none"}, {"0", "#"}} {
				_, _ = io.WriteString(send, piece.sent)
				if resp == nil {
					if resp = <-answers; resp == nil {
						t.FailNow()
					}
				}
				got := make([]byte, len(piece.sent))
				if _, err := io.ReadFull(resp.Body, got); string(got) != piece.want || err != nil {
					t.Fatalf("%s: got %q, %v; want %q\n%s", path, got, err, piece.want, g.Logs())
				}
			}
			_ = send.Close()
			if rest, err := io.ReadAll(resp.Body); len(rest) > 0 || err != nil || resp.ContentLength != -1 {
				t.Errorf("%s: got %q, %v, length %d", path, rest, err, resp.ContentLength)
			}
			_ = resp.Body.Close()
			wantUploaded(t, g, 14*(i+1))
		}
		testLargeUploads(t, g)
	})
}

func wantUploaded(t *testing.T, g *Gateway, want int) {
	t.Helper()
	metrics := g.Status().Plugins["stream"].Metrics
	if len(metrics) != 1 || metrics[0].Name != "uploaded_bytes" || metrics[0].Value != uint64(want) {
		t.Errorf("metrics are %+v, want %d uploaded bytes", metrics, want)
	}
}

// testLargeUploads: a body of many chunks adds up; one that is too large is refused in the middle.
func testLargeUploads(t *testing.T, g *Gateway) {
	before := int(g.Status().Plugins["stream"].Metrics[0].Value)
	for size, want := range map[int]string{1 << 20: "200", 1<<20 + 1: "400"} {
		status, _, body := g.Do("POST", "/any", strings.Repeat("7", size), "X-Whole: yes")
		if got := fmt.Sprint(status); got != want || status == 200 && body != strings.Repeat("#", size) {
			t.Errorf("%d bytes: got %s and %d bytes, want %s", size, got, len(body), want)
		}
	}
	wantUploaded(t, g, before+1<<20)
}
