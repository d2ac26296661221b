package gatewaytest

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	testgrpc "google.golang.org/grpc/interop/grpc_testing"
)

// webCall is a call in gRPC-Web by hand, over HTTP/1.1.
type webCall struct {
	t    *testing.T
	conn net.Conn
	resp *http.Response
	body *bufio.Reader
}

// callWeb sends a message, as a request with the given fields, and returns when the answer's head is there.
func callWeb(t *testing.T, g *Gateway, method string, message proto.Message, fields ...string) *webCall {
	t.Helper()
	payload, err := proto.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	frame := append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(payload))), payload...)
	c, err := net.Dial("tcp", g.Addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	head := fmt.Sprintf("POST /grpc.testing.TestService/%s HTTP/1.1\r\nHost: a\r\nContent-Type: application/grpc-web+proto\r\nX-Grpc-Web: 1\r\nContent-Length: %d\r\n", method, len(frame))
	for _, field := range fields {
		head += field + "\r\n"
	}
	if _, err := io.WriteString(c, head+"\r\n"+string(frame)); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	return &webCall{t, c, resp, bufio.NewReader(resp.Body)}
}

// next returns the flags and the content of the next frame.
func (w *webCall) next() (flags byte, content []byte) {
	w.t.Helper()
	var head [5]byte
	if _, err := io.ReadFull(w.body, head[:]); err != nil {
		w.t.Fatalf("reading a frame's head: %v", err)
	}
	content = make([]byte, binary.BigEndian.Uint32(head[1:]))
	if _, err := io.ReadFull(w.body, content); err != nil {
		w.t.Fatalf("reading a frame: %v", err)
	}
	return head[0], content
}

// expectMessage reads a message into m.
func (w *webCall) expectMessage(m proto.Message) {
	w.t.Helper()
	flags, content := w.next()
	if flags != 0 {
		w.t.Fatalf("got the flags %x, want a message", flags)
	}
	if err := proto.Unmarshal(content, m); err != nil {
		w.t.Fatal(err)
	}
}

// expectEnd reads the frame of trailers, which must be the last and hold all of want.
func (w *webCall) expectEnd(want ...string) {
	w.t.Helper()
	flags, content := w.next()
	if flags != 0x80 {
		w.t.Fatalf("got the flags %x of %q, want the trailers", flags, content)
	}
	for _, line := range want {
		if !strings.Contains(string(content), line+"\r\n") {
			w.t.Errorf("got the trailers %q, want %s", content, line)
		}
	}
	if rest, err := io.ReadAll(w.body); len(rest) > 0 || err != nil {
		w.t.Errorf("%q, %v after the trailers", rest, err)
	}
	if len(w.resp.Trailer) > 0 {
		w.t.Errorf("HTTP trailers as well: %v", w.resp.Trailer)
	}
	if got := w.resp.Header.Get("Content-Type"); !strings.HasPrefix(got, "application/grpc-web") || w.resp.StatusCode != 200 {
		w.t.Errorf("got %d, %s, want 200 in gRPC-Web", w.resp.StatusCode, got)
	}
}

func TestGRPCWebUnary(t *testing.T) {
	_, backend := serveGRPC(t, nil)
	g := Start(t, calls(backend, ""))
	request := &testgrpc.SimpleRequest{ResponseSize: 314159, Payload: &testgrpc.Payload{Body: make([]byte, 271828)}}
	c := callWeb(t, g, "UnaryCall", request, "x-grpc-test-echo-initial: hello", "x-grpc-test-echo-trailing-bin: Cgs=")
	reply := &testgrpc.SimpleResponse{}
	c.expectMessage(reply)
	if got := len(reply.Payload.Body); got != 314159 {
		t.Errorf("got %d bytes, want 314159", got)
	}
	if got := c.resp.Header.Get("x-grpc-test-echo-initial"); got != "hello" {
		t.Errorf("got the metadata %q, want hello", got)
	}
	c.expectEnd("grpc-status: 0", "x-grpc-test-echo-trailing-bin: Cgs")
}

// TestGRPCWebTrailersOnly: the server has nothing but a status to say.
func TestGRPCWebTrailersOnly(t *testing.T) {
	_, backend := serveGRPC(t, nil)
	g := Start(t, calls(backend, ""))
	request := &testgrpc.SimpleRequest{ResponseStatus: &testgrpc.EchoStatus{Code: 9, Message: "no: ☺"}}
	c := callWeb(t, g, "UnaryCall", request)
	c.expectEnd("grpc-status: 9", "grpc-message: no: %E2%98%BA")
	if c.resp.Header.Get("Grpc-Status") != "" {
		t.Error("the status is in the head as well")
	}
}

// TestGRPCWebStreams: each message arrives before the server says the next; the end of the stream follows.
func TestGRPCWebStreams(t *testing.T) {
	next := make(chan bool)
	_, backend := serveGRPC(t, func(stream testgrpc.TestService_FullDuplexCallServer) error {
		for range next {
			if err := stream.Send(&testgrpc.StreamingOutputCallResponse{Payload: &testgrpc.Payload{Body: []byte("x")}}); err != nil {
				return err
			}
		}
		return status.Error(codes.NotFound, "that was all")
	})
	g := Start(t, calls(backend, ""))
	go func() { next <- true }()
	c := callWeb(t, g, "FullDuplexCall", &testgrpc.StreamingOutputCallRequest{})
	for i := range 3 {
		if i > 0 {
			next <- true
		}
		c.expectMessage(&testgrpc.StreamingOutputCallResponse{})
	}
	close(next)
	c.expectEnd("grpc-status: 5", "grpc-message: that was all")
}

func TestGRPCWebGatewayErrors(t *testing.T) {
	_, backend := serveGRPC(t, newGreeter(true).serve)
	g := Start(t, calls(backend, "timeout = \"3s\"\nfilters = [{ use = \"ratelimit\", rate = \"1/h\" }]\n"))
	slow := callWeb(t, g, "FullDuplexCall", &testgrpc.StreamingOutputCallRequest{})
	slow.expectMessage(&testgrpc.StreamingOutputCallResponse{})
	slow.expectEnd("grpc-status: 4")
	limited := callWeb(t, g, "EmptyCall", &testgrpc.Empty{})
	limited.expectEnd("grpc-status: 8", "grpc-message: Too Many Requests")
	if limited.resp.Header.Get("Retry-After") == "" || limited.resp.Header.Get("RateLimit") == "" {
		t.Errorf("the filter's fields are lost: %v", limited.resp.Header)
	}
}

func TestGRPCWebClientGoes(t *testing.T) {
	greeter := newGreeter(true)
	_, backend := serveGRPC(t, greeter.serve)
	g := Start(t, calls(backend, ""))
	c := callWeb(t, g, "FullDuplexCall", &testgrpc.StreamingOutputCallRequest{})
	c.expectMessage(&testgrpc.StreamingOutputCallResponse{})
	if err := c.conn.Close(); err != nil {
		t.Fatal(err)
	}
	wait(t, greeter.cancelled)
	Until(t, "nothing is in flight", func() bool { return g.Status().Upstreams["b"][0].Active == 0 })
}

// TestGRPCWebServerDies: between two messages there is room for a status.
func TestGRPCWebServerDies(t *testing.T) {
	server, backend := serveGRPC(t, newGreeter(true).serve)
	g := Start(t, calls(backend, ""))
	c := callWeb(t, g, "FullDuplexCall", &testgrpc.StreamingOutputCallRequest{})
	c.expectMessage(&testgrpc.StreamingOutputCallResponse{})
	server.Stop()
	c.expectEnd("grpc-status: 14")
}

func TestGRPCWebTextIsRefused(t *testing.T) {
	_, backend := serveGRPC(t, nil)
	g := Start(t, calls(backend, ""))
	code, _, body := g.Do("POST", "/grpc.testing.TestService/EmptyCall", "AAAAAAA=", "Content-Type: application/grpc-web-text")
	if code != 415 || !strings.Contains(body, "grpc-web-text is not taken here") {
		t.Errorf("got %d %s, want 415 and why", code, body)
	}
}

// TestGRPCWebForOthers: where the upstream speaks HTTP/1.1, gRPC-Web is between it and its clients.
func TestGRPCWebForOthers(t *testing.T) {
	g := Start(t, routes(Backend(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
		_, _ = io.WriteString(w, "as it is")
	}), "[[routes]]\nname = \"r\"\npath = \"/*rest\"\nupstream = \"b\"\n"))
	for _, contentType := range []string{"application/grpc-web+proto", "application/grpc-web-text"} {
		code, header, body := g.Do("POST", "/", "anything", "Content-Type: "+contentType)
		if code != 200 || body != "as it is" || header.Get("Content-Type") != contentType {
			t.Errorf("%s: got %d %q %v", contentType, code, body, header)
		}
	}
}
