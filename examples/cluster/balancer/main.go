// Command balancer spreads TCP connections over several servers in turn, as the plainest of load balancers does: it knows nothing of what
// is sent, and passes over a server that takes no connection.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

// connectTimeout is how long a server may take to be connected to, before the next one's turn.
const connectTimeout = time.Second

func main() {
	listen := flag.String("listen", "127.0.0.1:8080", "address to listen on")
	to := flag.String("to", "127.0.0.1:8081,127.0.0.1:8082", "addresses of the servers, separated by commas")
	flag.Parse()
	l, err := net.Listen("tcp", *listen)
	if err == nil {
		err = serve(l, strings.Split(*to, ","))
	}
	fmt.Fprintln(os.Stderr, "balancer:", err)
	os.Exit(1)
}

// serve passes on the connections that come in until the listener is closed.
func serve(l net.Listener, servers []string) error {
	var turn atomic.Uint32
	for {
		client, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return err
		}
		if err != nil {
			time.Sleep(10 * time.Millisecond) // out of file descriptors: some will come back
			continue
		}
		go pass(client, servers, turn.Add(1))
	}
}

// pass connects the client with the server whose turn it is, or the next that can be reached.
func pass(client net.Conn, servers []string, turn uint32) {
	defer client.Close()
	for i := range servers {
		server, err := net.DialTimeout("tcp", servers[(int(turn)+i)%len(servers)], connectTimeout)
		if err != nil {
			continue
		}
		defer server.Close()
		done := make(chan struct{})
		go func() {
			defer close(done)
			move(server, client)
		}()
		move(client, server)
		_ = client.SetReadDeadline(time.Now()) // the server has ended, and with it the conversation
		<-done
		return
	}
}

// move copies until from ends, and tells to that there is no more. An error ends it like an end: there is nobody to tell.
func move(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	if half, ok := to.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
}
