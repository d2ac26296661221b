package gatewaytest

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// pattern is an endless stream of bytes that are not all the same, n of them.
type pattern struct{ left int64 }

func (p *pattern) Read(b []byte) (int, error) {
	if p.left == 0 {
		return 0, io.EOF
	}
	n := int(min(int64(len(b)), p.left))
	for i := range b[:n] {
		b[i] = byte(p.left-int64(i)) ^ byte((p.left-int64(i))>>8)
	}
	p.left -= int64(n)
	return n, nil
}

func sum(r io.Reader) string {
	h := sha256.New()
	n, err := io.Copy(h, r)
	return fmt.Sprintf("%d %v %s", n, err, hex.EncodeToString(h.Sum(nil)))
}

// fullDuplex lets a handler answer while it reads; net/http would else throw the rest of the request away.
func fullDuplex(t *testing.T, w http.ResponseWriter) {
	if err := http.NewResponseController(w).EnableFullDuplex(); err != nil {
		t.Error(err)
	}
}

func TestBodiesStreamBothWays(t *testing.T) {
	g := Start(t, routes(Backend(t, func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength >= 0 {
			w.Header().Set("Content-Length", fmt.Sprint(r.ContentLength))
		}
		fullDuplex(t, w)
		h := sha256.New()
		_, err := io.Copy(io.MultiWriter(w, h), r.Body)
		w.Header().Set(http.TrailerPrefix+"X-Sum", fmt.Sprintf("%v %s", err, hex.EncodeToString(h.Sum(nil))))
	}), "[[routes]]\nname = \"r\"\npath = \"/*rest\"\nupstream = \"b\"\n"))
	for _, size := range []int64{0, 1, 16 << 10, 64<<10 + 1, 10 << 20} {
		for _, chunked := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d chunked=%v", size, chunked), func(t *testing.T) {
				r, err := http.NewRequest("PUT", g.URL+"/x", &pattern{size})
				if err != nil {
					t.Fatal(err)
				}
				r.ContentLength = size
				if chunked {
					r.ContentLength = -1
				}
				resp, err := http.DefaultTransport.RoundTrip(r)
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				if got, want := sum(resp.Body), sum(&pattern{size}); got != want {
					t.Errorf("got  %s\nwant %s", got, want)
				}
			})
		}
	}
}

// A large body must not be held: the heap stays where it was while 256 MiB go through.
func TestMemoryStaysFlat(t *testing.T) {
	g := Start(t, routes(Backend(t, func(w http.ResponseWriter, r *http.Request) {
		fullDuplex(t, w)
		io.Copy(w, r.Body)
	}), "[[routes]]\nname = \"r\"\npath = \"/*rest\"\nupstream = \"b\"\n"))
	runtime.GC()
	runtime.GC() // what pools hold from tests before goes with the second
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	var peak atomic.Uint64
	body := &watched{r: &pattern{256 << 20}, peak: &peak}
	resp, err := http.Post(g.URL+"/x", "application/octet-stream", io.NopCloser(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	n, err := io.Copy(io.Discard, resp.Body)
	if n != 256<<20 || err != nil {
		t.Fatalf("got %d bytes, %v", n, err)
	}
	if peak.Load() > before.HeapAlloc+32<<20 {
		t.Errorf("the heap grew from %d MiB to %d MiB", before.HeapAlloc>>20, peak.Load()>>20)
	}
}

// watched notes the live heap now and then while it is read.
type watched struct {
	r    io.Reader
	peak *atomic.Uint64
	read int64
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if before := w.read; before>>25 != (before+int64(n))>>25 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		w.peak.Store(max(w.peak.Load(), m.HeapAlloc))
	}
	w.read += int64(n)
	return n, err
}

// raw sends bytes as they are and returns all that comes back until the gateway closes.
func raw(t *testing.T, addr, request string) string {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(c)
	if err != nil && len(answer) == 0 {
		t.Fatalf("reading: %v", err)
	}
	return string(answer)
}

func TestSmugglingNeverReachesTheBackend(t *testing.T) {
	var reached atomic.Int64
	g := Start(t, routes(Backend(t, func(w http.ResponseWriter, r *http.Request) { reached.Add(1) }),
		"[[routes]]\nname = \"r\"\npath = \"/*rest\"\nupstream = \"b\"\n"))
	const tail = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
	probes := map[string]string{
		"both lengths":            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"two lengths":             "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n",
		"length list":             "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0, 5\r\n\r\n",
		"length with a plus":      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +0\r\n\r\n",
		"bare LF":                 "GET / HTTP/1.1\nHost: a\n\n",
		"bare LF in a field":      "GET / HTTP/1.1\r\nHost: a\r\nX: y\nZ: 1\r\n\r\n",
		"bare CR in a field":      "GET / HTTP/1.1\r\nHost: a\r\nX: y\rZ: 1\r\n\r\n",
		"xchunked":                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
		"chunked twice":           "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
		"chunked in HTTP/1.0":     "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"obs-fold":                "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\n\r\n",
		"space before colon":      "GET / HTTP/1.1\r\nHost: a\r\nContent-Length : 0\r\n\r\n",
		"tab before colon":        "GET / HTTP/1.1\r\nHost: a\r\nX\t: 0\r\n\r\n",
		"absolute form elsewhere": "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n",
		"NUL in a value":          "GET / HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\n\r\n",
		"no Host":                 "GET / HTTP/1.1\r\n\r\n",
		"two Hosts":               "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
		"two spaces":              "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
		"percent NUL":             "GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n",
	}
	for name, probe := range probes {
		t.Run(name, func(t *testing.T) {
			answer := raw(t, g.Addr, probe+tail)
			if !strings.HasPrefix(answer, "HTTP/1.1 400 ") || strings.Count(answer, "HTTP/1.1 ") != 1 {
				t.Errorf("got %q, want a single 400", answer)
			}
		})
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("%d requests reached the backend", n)
	}
}

func TestBadChunkLaterAbortsTheUpstreamRequest(t *testing.T) {
	ended := make(chan error, 1)
	g := Start(t, routes(Backend(t, func(w http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		ended <- err
	}), "[[routes]]\nname = \"r\"\npath = \"/*rest\"\nupstream = \"b\"\n"))
	answer := raw(t, g.Addr, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n10000\r\n"+strings.Repeat("x", 0x10000)+"\r\nnonsense\r\n")
	if !strings.HasPrefix(answer, "HTTP/1.1 400 ") {
		t.Errorf("got %q, want 400", answer)
	}
	if err := <-ended; err == nil {
		t.Error("the backend saw a complete body")
	}
}

func TestEarlyAnswerIsNotLost(t *testing.T) {
	g := Start(t, routes(Backend(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		w.WriteHeader(http.StatusRequestEntityTooLarge)
	}), "[[routes]]\nname = \"r\"\npath = \"/*rest\"\nupstream = \"b\"\n"))
	answer := raw(t, g.Addr, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n"+strings.Repeat("x", 100_000))
	if !strings.HasPrefix(answer, "HTTP/1.1 413 ") {
		t.Errorf("got %q, want 413", answer)
	}
}

func TestPipelining(t *testing.T) {
	g := Start(t, routes(Backend(t, Echo), "[[routes]]\nname = \"r\"\npath = \"/*rest\"\nupstream = \"b\"\n"))
	answer := raw(t, g.Addr, "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET /3 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	reader := bufio.NewReader(strings.NewReader(answer))
	for i, want := range []string{"GET /1 host=a body=0", "POST /2 host=a body=3", "GET /3 host=a body=0"} {
		resp, err := http.ReadResponse(reader, nil)
		if err != nil {
			t.Fatalf("answer %d: %v in %q", i, err, answer)
		}
		body, _ := io.ReadAll(resp.Body)
		if !strings.Contains(string(body), want) {
			t.Errorf("answer %d: got %s, want %s", i, body, want)
		}
	}
}

func TestForwardedFields(t *testing.T) {
	g := Start(t, routes(Backend(t, Echo), "[[routes]]\nname = \"r\"\npath = \"/*rest\"\nupstream = \"b\"\n"))
	_, _, body := g.Get("/", "X-Forwarded-For: 6.6.6.6", "X-Forwarded-Proto: gopher", "Forwarded: for=6.6.6.6", "X-Real-Ip: 6.6.6.6")
	if strings.Contains(body, "6.6.6.6") || strings.Contains(body, "gopher") || !strings.Contains(body, "X-Forwarded-For: 127.0.0.1") || !strings.Contains(body, "X-Forwarded-Proto: http\n") {
		t.Errorf("an untrusted client's words went upstream:\n%s", body)
	}
}

func TestTunnel(t *testing.T) {
	g := Start(t, routes(Backend(t, func(w http.ResponseWriter, r *http.Request) {
		c, rw, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer c.Close()
		rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: " + r.Header.Get("Upgrade") + "\r\n\r\nhello ")
		rw.Flush()
		io.Copy(c, rw)
	}), "[[routes]]\nname = \"r\"\npath = \"/*rest\"\nupstream = \"b\"\n"))
	c, err := net.Dial("tcp", g.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: echo\r\n\r\nabc")
	r := bufio.NewReader(c)
	resp, err := http.ReadResponse(r, nil)
	if err != nil || resp.StatusCode != 101 || resp.Header.Get("Upgrade") != "echo" {
		t.Fatalf("got %v, %v", resp, err)
	}
	if err := g.Reload(); err != nil { // tunnels outlive generations
		t.Fatal(err)
	}
	payload := bytes.Repeat([]byte("0123456789"), 10_000)
	go c.Write(payload)
	got := make([]byte, len("hello abc")+len(payload))
	if _, err := io.ReadFull(r, got); err != nil || !bytes.Equal(got, append([]byte("hello abc"), payload...)) {
		t.Errorf("the tunnel changed the bytes (%v)", err)
	}
}
