package telemetry

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
)

func ended() *exchange.Exchange {
	start := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
	x := &exchange.Exchange{
		ID: "abc", Addr: netip.MustParseAddr("192.0.2.1"), Peer: netip.MustParseAddrPort("10.0.0.1:5000"),
		Route: "orders", Upstream: "o", Endpoint: "127.0.0.1:9", Tries: 1, Generation: 3, Received: 5, Sent: 259,
		Asked: exchange.Asked{Path: "/orders/1", Query: "a=b"},
		Times: exchange.Times{Start: start, Chain: start.Add(time.Microsecond), End: start.Add(2 * time.Millisecond)},
	}
	x.Req.Method, x.Req.Host, x.Req.Scheme, x.Resp.Status, x.By = "GET", "example.com", "http", 200, exchange.ByUpstream
	return x
}

func formatOf(t testing.TB, o FormatOptions) *Format {
	t.Helper()
	f, err := NewFormat(o)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func lineOf(t testing.TB, o FormatOptions, x *exchange.Exchange) string {
	t.Helper()
	var l line
	formatOf(t, o).write(&l, x, 1)
	return string(l.b)
}

func newTestLog(t testing.TB, sink io.WriteCloser) *AccessLog {
	l := newAccessLog("", sink, formatOf(t, FormatOptions{}), slog.New(slog.DiscardHandler))
	l.patience = time.Minute // machines may be slow
	return l
}

func TestLine(t *testing.T) {
	x := ended()
	x.Fail(&fault.Fault{Kind: fault.BadGateway, Side: fault.Upstream, Reason: "reset", Err: errors.New("read: \"x\"")})
	x.SetAttr("consumer", "demo")
	const want = `{"time":"2026-01-02T03:04:05.000006Z","id":"abc","client":"192.0.2.1","peer":"10.0.0.1:5000","method":"GET",` +
		`"scheme":"http","host":"example.com","path":"/orders/1","query":"a=b","protocol":"HTTP/1.1","status":200,"route":"orders",` +
		`"upstream":"o","endpoint":"127.0.0.1:9","tries":1,"received":5,"sent":259,"chain_us":1,"total_us":2000,"generation":3,` +
		`"answered_by":"upstream","reason_code":"UC","fault":"bad_gateway","blame":"upstream","reason":"reset","cause":"read: \u0022x\u0022","attributes":{"consumer":"demo"}}` + "\n"
	if got := lineOf(t, FormatOptions{}, x); got != want {
		t.Errorf("got  %swant %s", got, want)
	}
}

func TestLineTellsHowACallEnded(t *testing.T) {
	tests := map[string]string{"14": `"status":200,"grpc_status":14,"route"`, "0": `"grpc_status":0,`, "": `"status":200,"route"`, "1,\"x\":2": `"status":200,"route"`, "-1": `"status":200,"route"`}
	for status, want := range tests {
		x := ended()
		x.GRPCStatus = status
		if got := lineOf(t, FormatOptions{}, x); !strings.Contains(got, want) {
			t.Errorf("%q: got %s, want %s", status, got, want)
		}
	}
}

// FuzzLine: whatever a client sends, the line is one line of valid JSON that says it.
func FuzzLine(f *testing.F) {
	f.Add("/a\"\\\n\x00\xff\u2028é")
	f.Fuzz(func(t *testing.T, hostile string) {
		x := ended()
		x.Asked.Path, x.Req.Method = "/"+hostile, hostile
		x.SetAttr(hostile, hostile)
		line := []byte(lineOf(t, FormatOptions{}, x))
		var got map[string]any
		if err := json.Unmarshal(line, &got); err != nil || bytes.Count(line, []byte("\n")) != 1 {
			t.Fatalf("%v in %q", err, line)
		}
		if path, _ := got["path"].(string); path != string([]rune("/"+hostile)) {
			t.Fatalf("got %q of %q", path, hostile)
		}
	})
}

func BenchmarkLine(b *testing.B) {
	x, f := ended(), formatOf(b, FormatOptions{})
	l := line{b: make([]byte, 0, 4096)}
	b.ReportAllocs()
	for b.Loop() {
		l.b = l.b[:0]
		f.write(&l, x, 1)
	}
}

// blocked is a sink that does not take anything until it is let.
type blocked struct {
	let chan struct{}
	mu  sync.Mutex
	b   bytes.Buffer
}

func (s *blocked) Write(p []byte) (int, error) {
	<-s.let
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *blocked) Close() error { return nil }

func TestASlowSinkDropsAndCounts(t *testing.T) {
	sink := &blocked{let: make(chan struct{})}
	l := newTestLog(t, sink)
	x := ended()
	written := 0
	for l.Dropped() == 0 {
		l.Write(x)
		written++
	}
	close(sink.let)
	for l.flush(); ; l.flush() {
		l.mu.Lock()
		empty := len(l.line.b) == 0
		l.mu.Unlock()
		if empty {
			break
		}
	}
	l.Write(x)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	text := sink.b.String()
	if !strings.Contains(text, `{"dropped":1}`+"\n") {
		t.Error("the log does not tell of the dropped line")
	}
	if got := strings.Count(text, "\n"); got != written+1 {
		t.Errorf("got %d lines, want %d", got, written+1)
	}
}

func TestCloseGivesUpOnAStuckSink(t *testing.T) {
	sink := &blocked{let: make(chan struct{})}
	l := newTestLog(t, sink)
	l.patience = 0
	l.Write(ended())
	if err := l.Close(); err == nil {
		t.Error("got no error although the line cannot have been written")
	}
	close(sink.let)
	<-l.stopped
}

func TestReopenLosesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "access.log")
	l, err := OpenAccessLog(path, formatOf(t, FormatOptions{}), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	l.Write(ended())
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	if err := l.Reopen(); err != nil {
		t.Fatal(err)
	}
	l.Write(ended())
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{path, path + ".1"} {
		text, err := os.ReadFile(file)
		if err != nil || bytes.Count(text, []byte("\n")) != 1 {
			t.Errorf("%s: %d lines, %v", file, bytes.Count(text, []byte("\n")), err)
		}
	}
}

func TestManyWriters(t *testing.T) {
	sink := &blocked{let: make(chan struct{})}
	close(sink.let)
	l := newTestLog(t, sink)
	var wait sync.WaitGroup
	for range 16 {
		wait.Go(func() {
			x := ended()
			for range 200 {
				l.Write(x)
			}
		})
	}
	wait.Wait()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(sink.b.String(), "\n"), "\n")
	if len(lines) != 3200 {
		t.Errorf("got %d lines", len(lines))
	}
	for _, line := range lines {
		if !json.Valid([]byte(line)) {
			t.Fatalf("not JSON: %s", line)
		}
	}
}

func TestWriteAllocatesNothing(t *testing.T) {
	sink := &blocked{let: make(chan struct{})}
	close(sink.let)
	l := newTestLog(t, sink)
	x := ended()
	for range 20_000 { // both buffers have grown
		l.Write(x)
	}
	l.flush()
	for range 20_000 {
		l.Write(x)
	}
	l.flush()
	if n := testing.AllocsPerRun(1000, func() { l.Write(x) }); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

func BenchmarkWrite(b *testing.B) {
	path := filepath.Join(b.TempDir(), "access.log")
	l, err := OpenAccessLog(path, formatOf(b, FormatOptions{}), slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	x := ended()
	b.ReportAllocs()
	for b.Loop() {
		l.Write(x)
	}
	if err := l.Close(); err != nil {
		b.Fatal(err)
	}
}
