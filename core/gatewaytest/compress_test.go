package gatewaytest

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/sallyport/sallyport/core/gatewaytest/wat"
)

var document = []byte("[" + strings.Repeat(`{"id":1234,"status":"open","note":"a line that comes again and again"},`, 2000) + "{}]")

// decoded undoes a content coding.
func decoded(t *testing.T, coding string, r io.Reader) io.Reader {
	t.Helper()
	switch coding {
	case "gzip":
		d, err := gzip.NewReader(r)
		if err != nil {
			t.Fatal(err)
		}
		return d
	case "br":
		return brotli.NewReader(r)
	case "zstd":
		d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(d.Close)
		return d
	}
	t.Fatalf("the answer is coded as %q", coding)
	return nil
}

const compressed = `
[[routes]]
name = "r"
path = "/*rest"
upstream = "b"
filters = ["compress", { use = "headers", request = { remove = ["Accept-Encoding"] } }]
`

// documents answers with the document: as a whole, of known length in pieces, or in chunks.
func documents(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Accept-Encoding") != "" {
		http.Error(w, "the field came through", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("ETag", `"v1"`)
	w.Header().Set("Accept-Ranges", "bytes")
	content := document
	switch r.URL.Path {
	case "/small":
		content = document[:1500]
		fallthrough
	case "/length":
		w.Header().Set("Content-Length", fmt.Sprint(len(content)))
	case "/tiny":
		content = []byte("{}")
	}
	w.Write(content)
}

func TestCompressedAnswers(t *testing.T) {
	g := Start(t, routes(Backend(t, documents), compressed))
	want := map[string][]byte{"/small": document[:1500], "/length": document, "/chunked": document}
	for _, coding := range []string{"gzip", "br", "zstd"} {
		for path, want := range want {
			for _, method := range []string{"GET", "HEAD"} {
				t.Run(coding+path+method, func(t *testing.T) {
					status, header, body := g.Do(method, path, "", "Accept-Encoding: "+coding)
					if status != 200 || header.Get("Content-Encoding") != coding || header.Get("Vary") != "Accept-Encoding" ||
						header.Get("ETag") != `W/"v1"` || header.Get("Accept-Ranges") != "" || header.Get("Content-Type") != "application/json" {
						t.Fatalf("got %d %v", status, header)
					}
					if method == "HEAD" {
						return
					}
					got, err := io.ReadAll(decoded(t, coding, strings.NewReader(body)))
					if err != nil || !bytes.Equal(got, want) {
						t.Errorf("got %d bytes and %v, want %d", len(got), err, len(want))
					}
				})
			}
		}
	}
	if _, header, body := g.Get("/tiny", "Accept-Encoding: gzip"); header.Get("Content-Encoding") != "" || body != "{}" || header.Get("ETag") != `"v1"` {
		t.Errorf("a small answer was touched: %v %q", header, body)
	}
	if _, header, body := g.Get("/length", "Accept-Encoding: identity"); header.Get("Vary") != "Accept-Encoding" || body != string(document) {
		t.Errorf("a client that wants none of it: %v, %d bytes", header, len(body))
	}
}

// curl decodes with the C libraries of the three codings.
func TestCompressedAnswersWithCurl(t *testing.T) {
	curl, err := exec.LookPath("curl")
	if err != nil {
		wat.Missing(t, "curl")
	}
	version, err := exec.Command(curl, "--version").Output()
	if err != nil {
		t.Fatal(err)
	}
	g := Start(t, routes(Backend(t, documents), compressed))
	for coding, library := range map[string]string{"gzip": "libz", "br": "brotli", "zstd": "zstd"} {
		for _, path := range []string{"/small", "/length", "/chunked"} {
			t.Run(coding+path, func(t *testing.T) {
				if !strings.Contains(string(version), library) {
					t.Skipf("this curl does not know %s", coding)
				}
				out, err := exec.Command(curl, "-sS", "-i", "--compressed", "-H", "Accept-Encoding: "+coding, g.URL+path).Output()
				if err != nil {
					t.Fatal(err)
				}
				head, body, _ := bytes.Cut(out, []byte("\r\n\r\n"))
				want := document
				if path == "/small" {
					want = document[:1500]
				}
				if !bytes.Contains(head, []byte("\r\nContent-Encoding: "+coding)) || !bytes.Equal(body, want) {
					t.Errorf("got %d bytes behind\n%s", len(body), head)
				}
			})
		}
	}
}

// What the upstream has sent is with the client before the upstream sends more.
func TestCompressedStreamIsNotHeldBack(t *testing.T) {
	seen := make(chan struct{})
	g := Start(t, routes(Backend(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for i := range 10 {
			fmt.Fprintf(w, "{\"piece\":%d}", i)
			w.(http.Flusher).Flush()
			select {
			case <-seen:
			case <-r.Context().Done():
				return
			}
		}
		w.Header().Set(http.TrailerPrefix+"X-Last", "yes")
	}), compressed))
	for _, coding := range []string{"gzip", "br", "zstd"} {
		r, err := http.NewRequest("GET", g.URL+"/stream", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept-Encoding", coding)
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		content := decoded(t, resp.Header.Get("Content-Encoding"), resp.Body)
		for i := range 10 {
			want := fmt.Sprintf("{\"piece\":%d}", i)
			got := make([]byte, len(want))
			if _, err := io.ReadFull(content, got); err != nil || string(got) != want {
				t.Fatalf("%s: got %q, %v, want %s", coding, got, err, want)
			}
			seen <- struct{}{}
		}
		if rest, err := io.ReadAll(content); err != nil || len(rest) > 0 {
			t.Errorf("%s: at the end %q, %v", coding, rest, err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.Trailer.Get("X-Last") != "yes" {
			t.Errorf("%s: trailers %v, %v", coding, resp.Trailer, err)
		}
	}
}

// An upstream that breaks off must not look like one that has ended.
func TestCompressedAnswerBreaksOff(t *testing.T) {
	for name, head := range map[string]string{"length": "Content-Length: 100000\r\n\r\n", "chunked": "Transfer-Encoding: chunked\r\n\r\n7d0\r\n"} {
		g := Start(t, routes(Backend(t, func(w http.ResponseWriter, r *http.Request) {
			c, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n%s%s\r\n", head, document[:2000])
		}), compressed))
		for _, coding := range []string{"gzip", "br", "zstd"} {
			r, err := http.NewRequest("GET", g.URL+"/", nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Accept-Encoding", coding)
			resp, err := http.DefaultTransport.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(resp.Body); err == nil {
				t.Errorf("%s %s: the answer seems complete, with %d bytes", name, coding, len(got))
			}
			resp.Body.Close()
		}
	}
}

func TestCompressLeavesStreamsOfMessages(t *testing.T) {
	g := Start(t, routes(Backend(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for range 100 {
			fmt.Fprint(w, "data: the same again and again\n\n")
			w.(http.Flusher).Flush()
		}
	}), compressed))
	_, header, body := g.Get("/", "Accept-Encoding: gzip, br, zstd")
	if header.Get("Content-Encoding") != "" || strings.Count(body, "data: ") != 100 {
		t.Errorf("got %v, %d bytes", header, len(body))
	}
	err := g.ApplyText(routes("127.0.0.1:1", strings.Replace(compressed, `"compress"`, `{ use = "compress", types = ["text/event-stream"] }`, 1)))
	if err == nil || !strings.Contains(err.Error(), "streams") || !strings.Contains(err.Error(), "gateway.toml:") {
		t.Errorf("a list with a type of streams: got %v", err)
	}
}
