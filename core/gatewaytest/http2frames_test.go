package gatewaytest

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// frameClient is a client's end of an HTTP/2 connection that a test scripts frame by frame.
type frameClient struct {
	*http2.Framer
	t        testing.TB
	nc       net.Conn
	settings map[http2.SettingID]uint32
	answers  map[uint32]*frameAnswer
}

// frameAnswer is what has come on a stream.
type frameAnswer struct {
	status, fields, content, reset string // fields and trailers: "name: value\n" each
	ended                          bool
}

// dialFrames opens a connection to a gateway, over TLS if it is given a server's name and a config for it.
func dialFrames(t testing.TB, g *Gateway, name string, config ...*tls.Config) *frameClient {
	t.Helper()
	if len(config) == 0 {
		nc, err := net.Dial("tcp", g.Addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { nc.Close() })
		return newFrameClient(t, nc)
	}
	c := config[0].Clone()
	c.ServerName, c.NextProtos = name, []string{"h2"}
	nc := dialTLS(t, g.Addr, c)
	if got := nc.ConnectionState().NegotiatedProtocol; got != "h2" {
		t.Fatalf("negotiated %q", got)
	}
	return newFrameClient(t, nc)
}

// newFrameClient begins an HTTP/2 connection on one that is there.
func newFrameClient(t testing.TB, nc net.Conn) *frameClient {
	t.Helper()
	c := &frameClient{
		Framer: http2.NewFramer(nc, nc), t: t, nc: nc, settings: map[http2.SettingID]uint32{}, answers: map[uint32]*frameAnswer{},
	}
	c.AllowIllegalWrites = true
	c.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	_ = nc.SetDeadline(time.Now().Add(20 * time.Second)) // on a closed one, what follows fails
	_, err := io.WriteString(nc, http2.ClientPreface)
	c.check(err)
	c.check(c.WriteSettings())
	return c
}

func (c *frameClient) check(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// head sends a head, or trailers; fields are names and values in turn.
func (c *frameClient) head(id uint32, end bool, fields ...string) {
	c.t.Helper()
	c.check(c.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: headBlock(c.t, fields...), EndStream: end, EndHeaders: true}))
}

// headBlock returns fields, names and values in turn, as an encoder without a memory writes them.
func headBlock(t testing.TB, fields ...string) []byte {
	t.Helper()
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	encoder.SetMaxDynamicTableSize(0)
	for i := 0; i < len(fields); i += 2 {
		if err := encoder.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]}); err != nil {
			t.Fatal(err)
		}
	}
	return block.Bytes()
}

// get sends a GET without content.
func (c *frameClient) get(id uint32, scheme, host, path string, fields ...string) {
	c.t.Helper()
	c.head(id, true, append([]string{":method", "GET", ":scheme", scheme, ":authority", host, ":path", path}, fields...)...)
}

func (c *frameClient) data(id uint32, end bool, content string) {
	c.t.Helper()
	c.check(c.WriteData(id, end, []byte(content)))
}

func (c *frameClient) on(id uint32) *frameAnswer {
	if c.answers[id] == nil {
		c.answers[id] = &frameAnswer{}
	}
	return c.answers[id]
}

// answer reads until a stream has ended, or the connection.
func (c *frameClient) answer(id uint32) *frameAnswer {
	c.t.Helper()
	a := c.on(id)
	for !a.ended && a.reset == "" {
		if err := c.next(); err != nil {
			a.reset = "connection: " + err.Error()
		}
	}
	return a
}

// next takes in one frame.
func (c *frameClient) next() error {
	frame, err := c.ReadFrame()
	if err != nil {
		return err
	}
	a := c.on(frame.Header().StreamID)
	switch frame := frame.(type) {
	case *http2.SettingsFrame:
		if frame.IsAck() {
			return nil
		}
		_ = frame.ForeachSetting(func(s http2.Setting) error { c.settings[s.ID] = s.Val; return nil }) // it cannot fail
		return c.WriteSettingsAck()
	case *http2.MetaHeadersFrame:
		a.take(frame)
	case *http2.DataFrame:
		a.content += string(frame.Data())
		a.ended = frame.StreamEnded()
	case *http2.RSTStreamFrame:
		a.reset = frame.ErrCode.String()
	case *http2.GoAwayFrame:
		return fmt.Errorf("GOAWAY %v", frame.ErrCode)
	}
	return nil
}

func (a *frameAnswer) take(frame *http2.MetaHeadersFrame) {
	for _, field := range frame.RegularFields() {
		a.fields += field.Name + ": " + field.Value + "\n"
	}
	if a.status == "" {
		a.status = frame.PseudoValue("status")
	}
	a.ended = frame.StreamEnded()
}

// field returns the value of an answer's field.
func (a *frameAnswer) field(name string) string {
	for line := range strings.Lines(a.fields) {
		if value, ok := strings.CutPrefix(line, name+": "); ok {
			return strings.TrimSuffix(value, "\n")
		}
	}
	return ""
}
