package filter

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/andybalholm/brotli"
	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/sallyport/sallyport/core/chain"
	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
)

func compress(t testing.TB, change func(*CompressOptions)) *Compress {
	t.Helper()
	o := CompressOptions{Encodings: []string{"zstd", "br", "gzip"}, Types: []string{"text/*", "application/json", "application/*+json"},
		MinSize: 1, Level: "default", MaxStreams: 100}
	if change != nil {
		change(&o)
	}
	c, err := NewCompress(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// answered is an exchange with an answer of JSON to a client that accepts that.
func answered(accept string, content []byte) *exchange.Exchange {
	x := &exchange.Exchange{}
	x.Req.Method = "GET"
	x.Req.Fields.Add("Accept-Encoding", accept)
	x.Resp.Status = 200
	x.Resp.Fields.Add("Content-Type", "application/json; charset=utf-8")
	x.Resp.Body.Set(content)
	return x
}

func run(t testing.TB, c *Compress, x *exchange.Exchange) {
	t.Helper()
	if verdict, err := c.Request(x, 2); verdict != chain.Continue || err != nil {
		t.Fatal(verdict, err)
	}
	if err := c.Response(x, 2); err != nil {
		t.Fatal(err)
	}
}

// decoder undoes a coding, piece by piece.
func decoder(t testing.TB, coding string, r io.Reader) io.Reader {
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
		d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(512<<10))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(d.Close)
		return d
	}
	t.Fatalf("no decoder for %q", coding)
	return nil
}

func content(n int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	var b bytes.Buffer
	for b.Len() < n {
		fmt.Fprintf(&b, `{"id":%d,"customer":"%08x","status":"%s","total":%d.%02d,"created":"2026-%02d-%02dT%02d:%02d:00Z"},`,
			r.IntN(1e6), r.Uint32(), []string{"open", "shipped", "paid"}[r.IntN(3)], r.IntN(1000), r.IntN(100), 1+r.IntN(12), 1+r.IntN(28), r.IntN(24), r.IntN(60))
	}
	return b.Bytes()[:n]
}

func TestCompressNegotiation(t *testing.T) {
	tests := []struct{ name, accept, want string }{
		{"nothing", "", ""},
		{"only ours", "gzip", "gzip"},
		{"none of ours", "deflate, compress", ""},
		{"equal: the gateway's order", "gzip, br, zstd", "zstd"},
		{"weights before the order", "zstd;q=0.5, br;q=0.8, gzip;q=0.7", "br"},
		{"refused", "zstd;q=0, br;q=0.0, gzip", "gzip"},
		{"all refused", "zstd;q=0, br;q=0, gzip;q=0.000", ""},
		{"any", "*", "zstd"},
		{"any but", "zstd;q=0, *", "br"},
		{"any is less", "gzip, *;q=0.5", "gzip"},
		{"none but", "*;q=0, gzip;q=0.001", "gzip"},
		{"none", "*;q=0", ""},
		{"x-gzip is gzip", "x-gzip", "gzip"},
		{"case", "GZip;Q=0.5", "gzip"},
		{"identity is liked more", "identity, gzip;q=0.5", ""},
		{"identity is liked less", "identity;q=0.5, gzip", "gzip"},
		{"identity is liked as much", "identity, gzip", "gzip"},
		{"identity is refused", "identity;q=0, gzip;q=0.1", "gzip"},
		{"identity is refused, and nothing else accepted", "identity;q=0", ""},
		{"spaces and empty elements", " ,, gzip\t;  q=1.000 ,", "gzip"},
		{"the first of two counts", "gzip;q=0, gzip", ""},
		{"weight without digits", "gzip;q=", ""},
		{"weight with a bare dot", "gzip;q=1.", "gzip"},
		{"weight past one", "gzip;q=1.001", ""},
		{"weight with four digits", "gzip;q=0.1234", ""},
		{"weight with a sign", "gzip;q=-1", ""},
		{"space around =", "gzip;q =1", ""},
		{"another parameter", "gzip;level=1", ""},
		{"two parameters", "gzip;q=1;q=1", ""},
		{"no name", ";q=1", ""},
		{"a name that is none", "gz ip", ""},
		{"malformed anywhere", "gzip, br;q=x", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			x := answered(test.accept, content(100))
			run(t, compress(t, nil), x)
			if got := x.Resp.Fields.Value("Content-Encoding"); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if got := x.Resp.Fields.Value("Vary"); got != "Accept-Encoding" {
				t.Errorf("Vary: got %q", got)
			}
		})
	}
	t.Run("no field", func(t *testing.T) {
		x := answered("", content(100))
		x.Req.Fields.Reset()
		run(t, compress(t, nil), x)
		if x.Resp.Fields.Has("Content-Encoding") {
			t.Error("compressed for a client that did not ask")
		}
	})
	t.Run("two fields", func(t *testing.T) {
		x := answered("br;q=0.5", content(100))
		x.Req.Fields.Add("accept-encoding", "gzip")
		run(t, compress(t, nil), x)
		if got := x.Resp.Fields.Value("Content-Encoding"); got != "gzip" {
			t.Errorf("got %q", got)
		}
	})
	t.Run("hidden by a later filter", func(t *testing.T) {
		c, x := compress(t, nil), answered("gzip", content(100))
		if _, err := c.Request(x, 0); err != nil {
			t.Fatal(err)
		}
		x.Req.Fields.Remove("Accept-Encoding")
		if err := c.Response(x, 0); err != nil {
			t.Fatal(err)
		}
		if got := x.Resp.Fields.Value("Content-Encoding"); got != "gzip" {
			t.Errorf("got %q", got)
		}
	})
}

// leftAlone are answers that must pass as they are, even to a client that accepts everything.
func leftAlone() map[string]func(x *exchange.Exchange) {
	field := func(name, value string) func(x *exchange.Exchange) {
		return func(x *exchange.Exchange) { x.Resp.Fields.Set(name, value) }
	}
	status := func(code int) func(x *exchange.Exchange) {
		return func(x *exchange.Exchange) { x.Resp.Status = code }
	}
	return map[string]func(x *exchange.Exchange){
		"coded":                   field("Content-Encoding", "gzip"),
		"coded otherwise":         field("content-encoding", "aws-chunked"),
		"no-transform":            field("Cache-Control", "public, No-Transform"),
		"part":                    field("Content-Range", "bytes 0-99/200"),
		"switching":               status(101),
		"early hints":             status(103),
		"no content":              status(204),
		"reset content":           status(205),
		"partial content":         status(206),
		"not modified":            status(304),
		"no type":                 func(x *exchange.Exchange) { x.Resp.Fields.Remove("Content-Type") },
		"malformed type":          field("Content-Type", "json"),
		"packed type":             field("Content-Type", "image/png"),
		"another suffix":          field("Content-Type", "application/vnd.x+cbor"),
		"nothing but the suffix":  field("Content-Type", "application/+json"),
		"event stream":            field("Content-Type", "Text/Event-Stream; charset=utf-8"),
		"gRPC":                    field("Content-Type", "application/grpc+json"),
		"gRPC-Web":                field("Content-Type", "application/grpc-web+json"),
		"JSON stream":             field("Content-Type", "application/stream+json"),
		"empty":                   func(x *exchange.Exchange) { x.Resp.Body.Set(nil) },
		"too small":               func(x *exchange.Exchange) { x.Resp.Body.Set(content(49)) },
		"too small, not yet here": func(x *exchange.Exchange) { x.Resp.Body = exchange.Body{Length: 49, Source: &pieces{}} },
		"too small, asked by HEAD": func(x *exchange.Exchange) {
			x.Req.Method = "HEAD"
			x.Resp.Body = exchange.Body{Length: 49}
		},
	}
}

func TestCompressLeavesAlone(t *testing.T) {
	c := compress(t, func(o *CompressOptions) { o.MinSize = 50 })
	for name, change := range leftAlone() {
		t.Run(name, func(t *testing.T) {
			x := answered("gzip, br, zstd, *", content(100))
			x.Resp.Fields.Add("ETag", `"strong"`)
			x.Resp.Fields.Add("Accept-Ranges", "bytes")
			change(x)
			head, body := text(&x.Resp.Fields), x.Resp.Body
			run(t, c, x)
			if got := text(&x.Resp.Fields); got != head {
				t.Errorf("got  %s\nwant %s", got, head)
			}
			if got := x.Resp.Body; got.Length != body.Length || !bytes.Equal(got.Held, body.Held) || got.Source != body.Source {
				t.Errorf("the body was touched")
			}
		})
	}
	for _, stream := range []string{"text/event-stream", "application/x-ndjson", "application/grpc", "application/json-seq", "multipart/x-mixed-replace"} {
		if _, err := NewCompress(CompressOptions{Encodings: []string{"gzip"}, Types: []string{stream}, Level: "fast"}); err == nil {
			t.Errorf("%s was taken", stream)
		}
	}
}

func TestCompressRefusesOptions(t *testing.T) {
	good := CompressOptions{Encodings: []string{"gzip"}, Types: []string{"text/*"}, Level: "fast"}
	for name, change := range map[string]func(o *CompressOptions){
		"coding":       func(o *CompressOptions) { o.Encodings = []string{"deflate"} },
		"no coding":    func(o *CompressOptions) { o.Encodings = nil },
		"level":        func(o *CompressOptions) { o.Level = "9" },
		"no types":     func(o *CompressOptions) { o.Types = nil },
		"not a type":   func(o *CompressOptions) { o.Types = []string{"json"} },
		"of all kinds": func(o *CompressOptions) { o.Types = []string{"*/*"} },
	} {
		o := good
		change(&o)
		if _, err := NewCompress(o); err == nil {
			t.Errorf("%s: %+v was taken", name, o)
		}
	}
}

func TestCompressedHeads(t *testing.T) {
	tests := []struct {
		name       string
		change     func(x *exchange.Exchange)
		want       string // behind the Content-Type
		wantLength bool
	}{
		{"plain", func(*exchange.Exchange) {}, "Vary=Accept-Encoding;Content-Encoding=gzip;", true},
		{"strong ETag", func(x *exchange.Exchange) { x.Resp.Fields.Add("ETag", `"a"`) }, `ETag=W/"a";Vary=Accept-Encoding;Content-Encoding=gzip;`, true},
		{"weak ETag", func(x *exchange.Exchange) { x.Resp.Fields.Add("ETag", `W/"a"`) }, `ETag=W/"a";Vary=Accept-Encoding;Content-Encoding=gzip;`, true},
		{"Vary is there", func(x *exchange.Exchange) {
			x.Resp.Fields.Add("Vary", "Origin, accept-encoding")
		}, "Vary=Origin, accept-encoding;Content-Encoding=gzip;", true},
		{"Vary on all", func(x *exchange.Exchange) { x.Resp.Fields.Add("Vary", "*") }, "Vary=*;Content-Encoding=gzip;", true},
		{"Vary on other fields", func(x *exchange.Exchange) {
			x.Resp.Fields.Add("Vary", "Origin")
			x.Resp.Fields.Add("Vary", "X-Accept-Encoding")
		}, "Vary=Origin;Vary=X-Accept-Encoding;Vary=Accept-Encoding;Content-Encoding=gzip;", true},
		{"what is wrong now", func(x *exchange.Exchange) {
			for _, name := range []string{"Content-MD5", "Digest", "content-digest", "Repr-Digest", "Accept-Ranges", "Content-Length"} {
				x.Resp.Fields.Add(name, "x")
			}
			x.Resp.Fields.Add("Content-Language", "en")
		}, "Content-Language=en;Vary=Accept-Encoding;Content-Encoding=gzip;", true},
		{"an error's answer", func(x *exchange.Exchange) { x.Resp.Status = 500 }, "Vary=Accept-Encoding;Content-Encoding=gzip;", true},
		{"HEAD", func(x *exchange.Exchange) {
			x.Req.Method = "HEAD"
			x.Resp.Fields.Add("ETag", `"a"`)
			x.Resp.Body = exchange.Body{Length: 5000}
		}, `ETag=W/"a";Vary=Accept-Encoding;Content-Encoding=gzip;`, false},
		{"HEAD of a held answer", func(x *exchange.Exchange) { x.Req.Method = "HEAD" }, "Vary=Accept-Encoding;Content-Encoding=gzip;", false},
		{"stream", func(x *exchange.Exchange) {
			x.Resp.Body = exchange.Body{Length: 5000, Source: &pieces{}}
		}, "Vary=Accept-Encoding;Content-Encoding=gzip;", false},
		{"request that forbids it", func(x *exchange.Exchange) { x.Req.Fields.Add("Cache-Control", "no-transform") }, "Vary=Accept-Encoding;", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			x := answered("gzip", content(5000))
			test.change(x)
			run(t, compress(t, nil), x)
			want := "Content-Type=application/json; charset=utf-8;" + test.want
			if got := text(&x.Resp.Fields); got != want {
				t.Errorf("\ngot  %s\nwant %s", got, want)
			}
			if got := x.Resp.Body.Length >= 0; got != test.wantLength {
				t.Errorf("known length: got %v", got)
			}
			if x.Req.Method == "HEAD" && len(x.Resp.Body.Held) > 0 {
				t.Error("an answer to HEAD has content")
			}
		})
	}
}

func TestCompressRevalidation(t *testing.T) {
	tests := []struct{ name, ask, tag, want string }{
		{"weakened here", `W/"a"`, `"a"`, `ETag=W/"a";Vary=Accept-Encoding;`},
		{"among others", `"b", W/"a"`, `"a"`, `ETag=W/"a";Vary=Accept-Encoding;`},
		{"asked with the strong one", `"a"`, `"a"`, `ETag="a";`},
		{"asked with both", `W/"a", "a"`, `"a"`, `ETag="a";`},
		{"weak already", `W/"a"`, `W/"a"`, `ETag=W/"a";`},
		{"another", `W/"b"`, `"a"`, `ETag="a";`},
		{"none", `W/"b"`, ``, ``},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			x := answered("gzip", nil)
			x.Resp.Status = 304
			x.Resp.Fields.Reset()
			x.Req.Fields.Add("If-None-Match", test.ask)
			if test.tag != "" {
				x.Resp.Fields.Add("ETag", test.tag)
			}
			run(t, compress(t, nil), x)
			if got := text(&x.Resp.Fields); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

// pieces is a Source that brings one piece for each Read, then err or the end.
type pieces struct {
	list   [][]byte
	err    error
	closed int
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.list) == 0 {
		if p.err != nil {
			return 0, p.err
		}
		return 0, io.EOF
	}
	n := copy(b, p.list[0])
	if p.list[0] = p.list[0][n:]; len(p.list[0]) == 0 {
		p.list = p.list[1:]
	}
	return n, nil
}

func (p *pieces) Close() error { p.closed++; return nil }

func cut(b []byte, n int) [][]byte {
	var list [][]byte
	for len(b) > n {
		list, b = append(list, b[:n]), b[n:]
	}
	return append(list, b)
}

func TestCompressRoundTrip(t *testing.T) {
	bodies := map[string]func(plain []byte) (exchange.Body, *pieces){
		"held": func(plain []byte) (exchange.Body, *pieces) {
			return exchange.Body{Length: int64(len(plain)), Held: plain}, nil
		},
		"held, with a Source to close": func(plain []byte) (exchange.Body, *pieces) {
			s := &pieces{}
			return exchange.Body{Length: int64(len(plain)), Held: plain, Source: s}, s
		},
		"known length": func(plain []byte) (exchange.Body, *pieces) {
			s := &pieces{list: cut(plain[len(plain)/3:], 5000)}
			return exchange.Body{Length: int64(len(plain)), Held: plain[:len(plain)/3], Source: s}, s
		},
		"unknown length": func(plain []byte) (exchange.Body, *pieces) {
			s := &pieces{list: cut(plain[len(plain)/3:], 5000)}
			return exchange.Body{Length: exchange.Unknown, Held: plain[:len(plain)/3], Source: s}, s
		},
	}
	for _, level := range []string{"fast", "default", "best"} {
		c := compress(t, func(o *CompressOptions) { o.Level = level })
		for _, coding := range []string{"gzip", "br", "zstd"} {
			for kind, body := range bodies {
				for _, n := range []int{0, 1, 1023, 1024, 1 << 20} {
					if n > 1024 && level != "default" {
						n = 100_000
					}
					t.Run(fmt.Sprintf("%s/%s/%s/%d", level, coding, kind, n), func(t *testing.T) {
						plain := content(n)
						x := answered(coding, nil)
						var source *pieces
						x.Resp.Body, source = body(plain)
						run(t, c, x)
						checkRoundTrip(t, x, coding, plain)
						x.Resp.Body.Reset()
						if source != nil && source.closed != 1 {
							t.Errorf("the source was closed %d times", source.closed)
						}
					})
				}
			}
		}
		if n := c.streams.Load(); n != 0 {
			t.Errorf("%d streams are counted after all have ended", n)
		}
	}
}

func checkRoundTrip(t *testing.T, x *exchange.Exchange, coding string, plain []byte) {
	t.Helper()
	coded, err := io.ReadAll(&x.Resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if n := x.Resp.Body.Length; n >= 0 && n != int64(len(coded)) {
		t.Errorf("%d bytes, the length says %d", len(coded), n)
	}
	if len(plain) == 0 && !x.Resp.Fields.Has("Content-Encoding") {
		if len(coded) > 0 {
			t.Errorf("an empty answer got content: %q", coded)
		}
		return
	}
	if got := x.Resp.Fields.Value("Content-Encoding"); got != coding {
		t.Fatalf("Content-Encoding: got %q, want %q", got, coding)
	}
	var r io.Reader = bytes.NewReader(coded)
	if coding != "br" { // whose decoder has trouble with single bytes (andybalholm/brotli 1.2.8: "excessive input" at a sound end)
		r = iotest.OneByteReader(r)
	}
	got, err := io.ReadAll(decoder(t, coding, r))
	if err != nil || !bytes.Equal(got, plain) {
		t.Errorf("got %d bytes and %v, want %d", len(got), err, len(plain))
	}
	if len(plain) > 10_000 && len(coded) > len(plain)/2 {
		t.Errorf("%d bytes became %d", len(plain), len(coded))
	}
}

// The reader has each piece before the next is there.
func TestCompressHoldsNothingBack(t *testing.T) {
	for _, coding := range []string{"gzip", "br", "zstd"} {
		t.Run(coding, func(t *testing.T) {
			r, w := io.Pipe()
			x := answered(coding, nil)
			x.Resp.Body = exchange.Body{Length: exchange.Unknown, Held: []byte("in hand "), Source: r}
			c := compress(t, nil)
			run(t, c, x)
			out, in := io.Pipe()
			go func() { // as the engine does: what a Read brings goes out before the next
				_, err := io.Copy(in, onlyReader{&x.Resp.Body})
				in.CloseWithError(err)
			}()
			first := make(chan io.Reader)
			go func() { first <- decoder(t, coding, out) }() // gzip's reads the head at once
			decoded := <-first
			for i := range 20 {
				piece := []byte(fmt.Sprintf(`{"piece":%d}`, i))
				if i == 0 {
					piece = []byte("in hand ")
				} else if _, err := w.Write(piece); err != nil {
					t.Fatal(err)
				}
				got := make([]byte, len(piece))
				if _, err := io.ReadFull(decoded, got); err != nil || !bytes.Equal(got, piece) {
					t.Fatalf("piece %d: got %q, %v", i, got, err)
				}
			}
			w.Close()
			if rest, err := io.ReadAll(decoded); err != nil || len(rest) > 0 {
				t.Errorf("at the end: %q, %v", rest, err)
			}
		})
	}
}

type onlyReader struct{ io.Reader }

func TestCompressKeepsFailures(t *testing.T) {
	gone := fault.New(fault.BadGateway, fault.Upstream, "gone")
	tests := []struct {
		name   string
		length int64
		brings int
		err    error // of the source
		want   error
	}{
		{"fails, unknown length", exchange.Unknown, 20_000, gone, gone},
		{"fails, known length", 30_000, 20_000, gone, gone},
		{"fails at once", exchange.Unknown, 0, gone, gone},
		{"ends too early", 30_000, 20_000, nil, io.ErrUnexpectedEOF},
		{"brings too much", 10_000, 20_000, nil, errTooMuch},
	}
	for _, coding := range []string{"gzip", "br", "zstd"} {
		for _, test := range tests {
			t.Run(coding+"/"+test.name, func(t *testing.T) {
				source := &pieces{list: cut(content(test.brings), 3000), err: test.err}
				c, x := compress(t, nil), answered(coding, nil)
				x.Resp.Body = exchange.Body{Length: test.length, Source: source}
				run(t, c, x)
				coded, err := io.ReadAll(onlyReader{&x.Resp.Body})
				if !errors.Is(err, test.want) {
					t.Errorf("got %v, want %v", err, test.want)
				}
				if _, again := x.Resp.Body.Read(make([]byte, 10)); !errors.Is(again, test.want) {
					t.Errorf("then: got %v, want %v", again, test.want)
				}
				x.Resp.Body.Reset()
				if n := c.streams.Load(); n != 0 || source.closed != 1 {
					t.Errorf("%d streams counted, source closed %d times", n, source.closed)
				}
				if len(coded) == 0 && (test.brings == 0 || test.want == errTooMuch) {
					return
				}
				if got, err := io.ReadAll(decoder(t, coding, bytes.NewReader(coded))); err == nil {
					t.Errorf("what broke off decodes as if it were complete, %d bytes", len(got))
				} else if test.want != errTooMuch && len(got) != test.brings {
					t.Errorf("%d bytes came before the end, want all %d", len(got), test.brings)
				}
			})
		}
	}
}

func TestCompressedStreamAfterClose(t *testing.T) {
	c, x := compress(t, nil), answered("zstd", nil)
	source := &pieces{list: cut(content(20_000), 3000)}
	x.Resp.Body = exchange.Body{Length: exchange.Unknown, Source: source}
	run(t, c, x)
	s := x.Resp.Body.Source
	if _, err := s.Read(make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	x.Resp.Body.Reset()
	if n, err := s.Read(make([]byte, 10)); n != 0 || err != errClosed {
		t.Errorf("got %d, %v", n, err)
	}
	if n := c.streams.Load(); n != 0 || source.closed != 1 {
		t.Errorf("%d streams counted, source closed %d times", n, source.closed)
	}
}

func TestCompressBoundsStreams(t *testing.T) {
	c := compress(t, func(o *CompressOptions) { o.MaxStreams = 2 })
	var open []*exchange.Exchange
	for i, want := range []string{"br", "br", "", ""} {
		x := answered("br", nil)
		x.Resp.Body = exchange.Body{Length: exchange.Unknown, Source: &pieces{list: cut(content(100), 10)}}
		run(t, c, x)
		if got := x.Resp.Fields.Value("Content-Encoding"); got != want || x.Resp.Fields.Value("Vary") != "Accept-Encoding" {
			t.Errorf("stream %d: got %s, want %q", i, text(&x.Resp.Fields), want)
		}
		open = append(open, x)
	}
	if x := answered("br", content(100)); true {
		if run(t, c, x); !x.Resp.Fields.Has("Content-Encoding") {
			t.Error("the bound on streams held up an answer that is none")
		}
	}
	got, err := io.ReadAll(onlyReader{&open[2].Resp.Body})
	if diff := cmp.Diff(content(100), got); diff != "" || err != nil {
		t.Errorf("past the bound: %v\n%s", err, diff)
	}
	open[0].Resp.Body.Reset()
	x := answered("br", nil)
	x.Resp.Body = exchange.Body{Length: exchange.Unknown, Source: &pieces{}}
	if run(t, c, x); !x.Resp.Fields.Has("Content-Encoding") {
		t.Error("a stream that has ended still counts")
	}
}

// Digests among the trailers tell of the content as it came, too; all other trailers pass.
func TestCompressTrailers(t *testing.T) {
	for _, held := range []bool{true, false} {
		c, x := compress(t, nil), answered("gzip", content(100))
		if !held {
			x.Resp.Body = exchange.Body{Length: exchange.Unknown, Source: &pieces{list: cut(content(100), 10)}}
		}
		run(t, c, x)
		if held { // had they come with the content, they would be there before
			x = answered("gzip", content(100))
		}
		x.Resp.Trailers.Add("X-Sum", "1")
		x.Resp.Trailers.Add("Content-Digest", "sha-256=:x:")
		if held {
			run(t, c, x)
		}
		if _, err := io.ReadAll(onlyReader{&x.Resp.Body}); err != nil {
			t.Fatal(err)
		}
		if got := text(&x.Resp.Trailers); got != "X-Sum=1;" {
			t.Errorf("held %v: got %s", held, got)
		}
	}
}

// oracle is Accept-Encoding once more, by other means.
func oracle(value string, order []string) string {
	weights := map[string]float64{}
	for _, element := range strings.Split(value, ",") {
		parts := strings.Split(strings.Trim(element, " \t"), ";")
		name := strings.ToLower(strings.Trim(parts[0], " \t"))
		q := 1.0
		if len(parts) == 1 && name == "" {
			continue
		}
		if len(parts) > 2 || !isCodingName(name) {
			return ""
		}
		if len(parts) == 2 {
			digits, ok := strings.CutPrefix(strings.ToLower(strings.TrimLeft(parts[1], " \t")), "q=")
			whole, fraction, _ := strings.Cut(digits, ".")
			if !ok || len(fraction) > 3 || strings.Trim(fraction, "0123456789") != "" || whole != "0" && (whole != "1" || strings.Trim(fraction, "0") != "") {
				return ""
			}
			fmt.Sscanf(digits+"0", "%f", &q)
			if !strings.Contains(digits, ".") {
				fmt.Sscanf(digits, "%f", &q)
			}
		}
		if name == "x-gzip" {
			name = "gzip"
		}
		if _, named := weights[name]; !named {
			weights[name] = q
		}
	}
	weight := func(name string) float64 {
		if q, ok := weights[name]; ok {
			return q
		}
		return weights["*"]
	}
	best := ""
	for _, name := range order {
		if q := weight(name); q > 0 && q >= weight("identity") && (best == "" || q > weight(best)) {
			best = name
		}
	}
	return best
}

func FuzzAcceptEncoding(f *testing.F) {
	for _, seed := range []string{"gzip, br;q=0.5, *;q=0", "x-gzip;q=0.001,identity;q=0", "GZIP ; Q=1.000,,", "zstd;q=1.", "br;q=0.1234", "*;q=0.3, identity", ";q=1"} {
		f.Add(seed)
	}
	order := []string{"zstd", "br", "gzip"}
	c := compress(f, nil)
	f.Fuzz(func(t *testing.T, value string) {
		var x exchange.Exchange
		x.Req.Fields.Add("Accept-Encoding", value)
		got := ""
		if i := c.choose(&x.Req.Fields); i >= 0 {
			got = order[i]
		}
		if want := oracle(value, order); got != want {
			t.Errorf("%q: got %q, want %q", value, got, want)
		}
	})
}

// Encoders go from one answer to the next, whatever became of the one before.
func TestCompressHammer(t *testing.T) {
	c := compress(t, func(o *CompressOptions) { o.Level = "fast" })
	plain := content(100_000)
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(worker), 7))
			for range 60 {
				coding := []string{"gzip", "br", "zstd"}[r.IntN(3)]
				want := plain[:r.IntN(len(plain))]
				x := answered(coding, want)
				if r.IntN(2) == 0 {
					x.Resp.Body = exchange.Body{Length: exchange.Unknown, Source: &pieces{list: cut(want, 1+r.IntN(30_000))}}
				}
				run(t, c, x)
				if r.IntN(3) == 0 { // the client goes away
					_, _ = io.CopyN(io.Discard, &x.Resp.Body, int64(r.IntN(1000)))
					x.Resp.Body.Reset()
					continue
				}
				checkRoundTrip(t, x, coding, want)
				x.Resp.Body.Reset()
			}
		})
	}
	wg.Wait()
	if n := c.streams.Load(); n != 0 {
		t.Errorf("%d streams are counted after all have ended", n)
	}
}

func TestCompressAllocatesNothingForOthers(t *testing.T) {
	c := compress(t, func(o *CompressOptions) { o.MinSize = 50 })
	for name, change := range leftAlone() {
		x := answered("gzip;q=0.5, br, zstd", content(100))
		change(x)
		if n := testing.AllocsPerRun(100, func() { run(t, c, x) }); n != 0 {
			t.Errorf("%s: got %v allocations, want 0", name, n)
		}
	}
	x := answered("deflate", content(100))
	if n := testing.AllocsPerRun(100, func() { x.Resp.Fields.Remove("Vary"); run(t, c, x) }); n != 0 {
		t.Errorf("not accepted: got %v allocations, want 0", n)
	}
}

// A stream may wait for long: what it holds meanwhile is bounded, and no goroutine waits with it.
func TestCompressStreamsAreCheap(t *testing.T) {
	const streams = 20
	plain := content(300_000)
	for _, level := range []string{"fast", "default", "best"} {
		for _, coding := range []string{"gzip", "br", "zstd"} {
			c := compress(t, func(o *CompressOptions) { o.Level = level })
			limit := map[string]uint64{"fast": 1 << 20, "default": 2 << 20, "best": 5 << 20}[level] + 1<<17
			goroutines, before := runtime.NumGoroutine(), liveHeap()
			var open []*exchange.Exchange
			for range streams {
				x := answered(coding, nil)
				x.Resp.Body = exchange.Body{Length: exchange.Unknown, Source: &pieces{list: cut(plain, 10_000)}}
				run(t, c, x)
				if _, err := io.CopyN(io.Discard, onlyReader{&x.Resp.Body}, 30_000); err != nil {
					t.Fatal(err)
				}
				open = append(open, x)
			}
			each := (liveHeap() - before) / streams
			t.Logf("%s %s: %d KiB", level, coding, each>>10)
			if each > limit {
				t.Errorf("%s %s: a stream holds %d KiB", level, coding, each>>10)
			}
			if n := runtime.NumGoroutine(); n > goroutines {
				t.Errorf("%s %s: %d goroutines for %d streams", level, coding, n-goroutines, streams)
			}
			for _, x := range open {
				x.Resp.Body.Reset()
			}
		}
	}
}

func liveHeap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // pools let go of what is idle at the second
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func BenchmarkCompressLeavesAlone(b *testing.B) {
	c := compress(b, nil)
	for name, contentType := range map[string]string{"type": "image/png", "small": "application/json"} {
		b.Run(name, func(b *testing.B) {
			x := answered("gzip, deflate, br, zstd", nil)
			x.Resp.Fields.Set("Content-Type", contentType)
			if name == "type" {
				x.Resp.Body.Set(content(5000))
			}
			b.ReportAllocs()
			for b.Loop() {
				run(b, c, x)
			}
		})
	}
}

func BenchmarkCompress(b *testing.B) {
	for _, level := range []string{"fast", "default", "best"} {
		c := compress(b, func(o *CompressOptions) { o.Level = level })
		for _, coding := range []string{"zstd", "gzip", "br"} {
			for _, n := range []int{4 << 10, 32 << 10, 256 << 10} {
				plain := content(n)
				for _, held := range []bool{true, false} {
					kind := map[bool]string{true: "held", false: "stream"}[held]
					b.Run(fmt.Sprintf("%s/%s/%dKiB/%s", level, coding, n>>10, kind), func(b *testing.B) {
						benchmarkCompress(b, c, coding, plain, held)
					})
				}
			}
		}
	}
}

func benchmarkCompress(b *testing.B, c *Compress, coding string, plain []byte, held bool) {
	b.ReportAllocs()
	b.SetBytes(int64(len(plain)))
	x := answered(coding, plain)
	source := &pieces{}
	page := make([]byte, 16<<10)
	coded := 0
	for b.Loop() {
		x.Resp.Fields.Reset()
		x.Resp.Fields.Add("Content-Type", "application/json")
		x.Resp.Body = exchange.Body{Length: int64(len(plain)), Held: plain}
		if !held {
			source.list = append(source.list[:0], plain)
			x.Resp.Body = exchange.Body{Length: exchange.Unknown, Source: source}
		}
		run(b, c, x)
		coded = len(x.Resp.Body.Rest())
		for err := error(nil); err == nil; {
			var n int
			n, err = x.Resp.Body.Read(page)
			coded += n
		}
		x.Resp.Body.Reset()
	}
	b.ReportMetric(100*float64(coded)/float64(len(plain)), "%left")
}
