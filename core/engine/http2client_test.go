package engine

import (
	"bytes"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// http2Options are Options that allow HTTP/2.
var http2Options = Options{HTTP2: true}

// http2Client speaks HTTP/2 frame by frame.
type http2Client struct {
	t       testing.TB
	nc      net.Conn
	frames  *http2.Framer
	encoded bytes.Buffer
	encoder *hpack.Encoder
	answers map[uint32]*http2Answer
	goAways []http2.GoAwayFrame
	pings   int // answered
}

// http2Answer is what came on a stream.
type http2Answer struct {
	interim  []string // the fields of each, as text
	head     string
	content  string
	trailers string
	ended    bool
	reset    string // the error code, "" for none
	frames   int    // of content
}

// dialHTTP2 opens a connection that begins with the preface and the settings.
func dialHTTP2(t testing.TB, l *Listener, settings ...http2.Setting) *http2Client {
	t.Helper()
	c := startHTTP2(t, dial(t, l))
	send(t, c.nc, http2Preface)
	c.check(c.frames.WriteSettings(settings...))
	return c
}

func startHTTP2(t testing.TB, nc net.Conn) *http2Client {
	c := &http2Client{t: t, nc: nc, frames: http2.NewFramer(nc, nc), answers: map[uint32]*http2Answer{}}
	c.frames.AllowIllegalWrites = true
	c.frames.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	c.encoder = hpack.NewEncoder(&c.encoded)
	return c
}

func (c *http2Client) check(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// block returns a head or trailers, each "name: value", encoded.
func (c *http2Client) block(fields ...string) []byte {
	c.encoded.Reset()
	for _, field := range fields {
		i := 1 + strings.Index(field[1:], ": ")
		c.check(c.encoder.WriteField(hpack.HeaderField{Name: field[:i], Value: field[i+2:]}))
	}
	return c.encoded.Bytes()
}

// head sends a request's head; end says that nothing follows.
func (c *http2Client) head(id uint32, end bool, fields ...string) {
	c.t.Helper()
	c.check(c.frames.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: c.block(fields...), EndStream: end, EndHeaders: true}))
}

// get sends a GET.
func (c *http2Client) get(id uint32, path string, fields ...string) {
	c.t.Helper()
	c.head(id, true, append([]string{":method: GET", ":scheme: http", ":authority: x", ":path: " + path}, fields...)...)
}

// post sends the head of a request with content.
func (c *http2Client) post(id uint32, path string, fields ...string) {
	c.t.Helper()
	c.head(id, false, append([]string{":method: POST", ":scheme: http", ":authority: x", ":path: " + path}, fields...)...)
}

func (c *http2Client) data(id uint32, end bool, content string) {
	c.t.Helper()
	c.check(c.frames.WriteData(id, end, []byte(content)))
}

// next reads one frame and takes it in; it returns false at the end of the connection.
func (c *http2Client) next() bool {
	c.t.Helper()
	f, err := c.frames.ReadFrame()
	if err != nil {
		return false
	}
	a := c.on(f.Header().StreamID)
	switch f := f.(type) {
	case *http2.SettingsFrame:
		if !f.IsAck() {
			c.check(c.frames.WriteSettingsAck())
		}
	case *http2.PingFrame:
		if f.IsAck() {
			c.pings++
		}
	case *http2.GoAwayFrame:
		c.goAways = append(c.goAways, http2.GoAwayFrame{LastStreamID: f.LastStreamID, ErrCode: f.ErrCode})
	case *http2.MetaHeadersFrame:
		a.takeHead(f)
	case *http2.DataFrame:
		a.content += string(f.Data())
		a.frames++
		a.ended = f.StreamEnded()
		if n := uint32(len(f.Data())); n > 0 {
			// A server that has already closed does not mind.
			_ = c.frames.WriteWindowUpdate(0, n)
			_ = c.frames.WriteWindowUpdate(f.StreamID, n)
		}
	case *http2.RSTStreamFrame:
		a.reset = f.ErrCode.String()
	}
	return true
}

func (c *http2Client) on(id uint32) *http2Answer {
	if c.answers[id] == nil {
		c.answers[id] = &http2Answer{}
	}
	return c.answers[id]
}

func (a *http2Answer) takeHead(f *http2.MetaHeadersFrame) {
	var text strings.Builder
	for _, field := range f.Fields {
		fmt.Fprintf(&text, "%s: %s\n", field.Name, field.Value)
	}
	switch {
	case strings.HasPrefix(text.String(), ":status: 1"):
		a.interim = append(a.interim, text.String())
	case a.head == "":
		a.head = text.String()
	default:
		a.trailers = text.String()
	}
	a.ended = f.StreamEnded()
}

// wait reads until ok.
func (c *http2Client) wait(what string, ok func() bool) {
	c.t.Helper()
	for !ok() {
		if !c.next() {
			c.t.Fatalf("the connection ended before: %s; answers %+v, GOAWAY %+v", what, c.answers, c.goAways)
		}
	}
}

// settle waits until the server has nothing more to say of the connection's beginning.
func (c *http2Client) settle() {
	c.t.Helper()
	c.check(c.frames.WritePing(false, [8]byte{}))
	pings := c.pings
	c.wait("the answer to a ping", func() bool { return c.pings > pings })
}

// answer waits until a stream has ended.
func (c *http2Client) answer(id uint32) *http2Answer {
	c.t.Helper()
	a := c.on(id)
	c.wait(fmt.Sprintf("the end of stream %d", id), func() bool { return a.ended || a.reset != "" })
	return a
}

// status returns the status of an answer, "" when there is none.
func (a *http2Answer) status() string {
	line, _, _ := strings.Cut(a.head, "\n")
	return strings.TrimPrefix(line, ":status: ")
}

// sortLines returns text with its lines in order.
func sortLines(text string) string {
	lines := strings.SplitAfter(text, "\n")
	slices.Sort(lines)
	return strings.Join(lines, "")
}
