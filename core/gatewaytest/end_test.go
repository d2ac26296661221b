package gatewaytest

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

const accessFile = "[log]\naccess = \"access.log\"\n"

// The end comes also when client or upstream break off in the middle, while the request is still on its way up.
func TestEndOfWhatIsBrokenOff(t *testing.T) {
	backend := server(t, func(c *net.TCPConn, r *bufio.Reader) {
		io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
		if line, _ := r.ReadString('\n'); strings.HasPrefix(line, "1") {
			return // breaks off
		}
		io.Copy(io.Discard, r)
	})
	dir := t.TempDir()
	install(t, dir, "ends", "ends")
	g := StartIn(t, dir, accessFile+routes(backend, allToB+"filters = [\"ends\"]\n"))
	for id, chunk := range map[string]string{"by-client": "2\r\nab\r\n", "by-upstream": "1\r\na\r\n"} {
		c := dialRaw(t, g, "POST / HTTP/1.1\r\nHost: a\r\nX-Request-Id: "+id+"\r\nTransfer-Encoding: chunked\r\n\r\n"+chunk)
		r := bufio.NewReader(c)
		for line := ""; line != "hello\r\n"; {
			var err error
			if line, err = r.ReadString('\n'); err != nil {
				t.Fatalf("%s: %v", id, err)
			}
		}
		if id == "by-client" {
			// The trailers come as the client goes.
			io.WriteString(c, "0\r\nChecksum: abc\r\n")
			c.Close()
		} else {
			io.Copy(io.Discard, r)
		}
		checkEnded(t, g, id, "it ")
	}
	Until(t, "the endpoint is free", func() bool { return g.inFlight() == 0 })
}

// A tunnel's end is the exchange's.
func TestEndOfATunnel(t *testing.T) {
	backend := server(t, func(c *net.TCPConn, r *bufio.Reader) {
		io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n")
		io.Copy(c, r)
	})
	dir := t.TempDir()
	install(t, dir, "ends", "ends")
	g := StartIn(t, dir, accessFile+routes(backend, allToB+"filters = [\"ends\"]\n"))
	c := dialRaw(t, g, "GET / HTTP/1.1\r\nHost: a\r\nX-Request-Id: tunnel\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n")
	r := bufio.NewReader(c)
	if err := readHead(r); err != nil {
		t.Fatal(err)
	}
	io.WriteString(c, "ping\n")
	if line, err := r.ReadString('\n'); line != "ping\n" || strings.Contains(g.Logs(), "ended with") {
		t.Errorf("got %q, %v, and the log %s", line, err, g.Logs())
	}
	c.Close()
	checkEnded(t, g, "tunnel", "it ")
	if got := strings.Count(g.Logs(), "ended with"); got != 1 {
		t.Errorf("%d ends", got)
	}
}

// A client that hangs up while its answer is being held lets go of the upstream.
func TestClientGoneWhileTheAnswerIsHeld(t *testing.T) {
	flowing := make(chan struct{})
	g := holding(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(200)
		io.WriteString(w, "the beginning")
		w.(http.Flusher).Flush()
		close(flowing)
		<-r.Context().Done() // until the gateway hangs up
	}, "holds")
	c := dialRaw(t, g, simpleGet)
	<-flowing
	c.Close()
	Until(t, "the endpoint is free", func() bool { return g.inFlight() == 0 })
}

// A client that does not send the content it has told of is answered, and its connection closed.
func TestClientThatSendsNoneOfItsHeldBody(t *testing.T) {
	dir := t.TempDir()
	install(t, dir, "holds", "holds")
	g := StartIn(t, dir, impatient+routes(Backend(t, Echo), allToB+"filters = [{ use = \"holds\", on_error = \"skip\" }]\n"))
	c := dialRaw(t, g, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello")
	answer, err := io.ReadAll(c)
	if !strings.HasPrefix(string(answer), "HTTP/1.1 408") {
		t.Errorf("got %q, %v", answer, err)
	}
}
