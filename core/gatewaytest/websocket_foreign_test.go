package gatewaytest

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/lxzan/gws"
)

// foreignEcho is a peer of another make on either side: it echoes, or hands on what it gets.
type foreignEcho struct {
	gws.BuiltinEventHandler
	got    chan []byte // nil: echo
	closed chan error
}

func (e *foreignEcho) OnMessage(c *gws.Conn, message *gws.Message) {
	defer message.Close()
	if e.got == nil {
		_ = c.WriteMessage(message.Opcode, message.Bytes()) // an error closes the connection, which the client sees
		return
	}
	e.got <- bytes.Clone(message.Bytes())
}

func (e *foreignEcho) OnClose(_ *gws.Conn, err error) {
	if e.closed != nil {
		e.closed <- err
	}
}

// TestWebSocketOfAnotherMake speaks compressed frames of up to 16 MiB, pings, and closes with a code.
func TestWebSocketOfAnotherMake(t *testing.T) {
	const most = 16 << 20
	deflate := gws.PermessageDeflate{Enabled: true, ServerContextTakeover: true, ClientContextTakeover: true}
	upgrader := gws.NewUpgrader(&foreignEcho{}, &gws.ServerOption{PermessageDeflate: deflate, ReadMaxPayloadSize: most})
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := upgrader.Upgrade(w, r)
		if err == nil {
			go c.ReadLoop()
		}
	}))
	defer upstream.Close()
	g := Start(t, routes(upstream.Listener.Addr().String(), allToB))
	client := &foreignEcho{got: make(chan []byte, 1), closed: make(chan error, 1)}
	c, _, err := gws.NewClient(client, &gws.ClientOption{Addr: "ws://" + g.Addr + "/ws", PermessageDeflate: deflate, ReadMaxPayloadSize: most})
	if err != nil {
		t.Fatal(err)
	}
	go c.ReadLoop()
	for _, size := range []int{0, 1, 125, 126, 65535, 65536, 1 << 20, most} {
		message := bytes.Repeat([]byte("sally"), size/5+1)[:size]
		if err := c.WriteMessage(gws.OpcodeBinary, message); err != nil {
			t.Fatal(err)
		}
		select {
		case got := <-client.got:
			if !bytes.Equal(got, message) {
				t.Errorf("%d bytes: got %d others", size, len(got))
			}
		case <-time.After(30 * time.Second):
			t.Fatalf("%d bytes: no answer", size)
		}
	}
	if err := c.WriteClose(1000, []byte("done")); err != nil {
		t.Error(err)
	}
	<-client.closed
}
