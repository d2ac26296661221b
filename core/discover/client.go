package discover

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// attempts is how often all servers are asked before a question is given up; only the first time with EDNS, which may be what is in the way.
const attempts = 2

// client asks DNS servers. Many goroutines may use it at once.
type client struct {
	servers func() ([]netip.AddrPort, error)
	timeout time.Duration // of one server
	queries chan struct{} // holds one for each question that is on its way; nil: no bound
}

// ask asks one server after the other until one answers. Its answer may be that there is nothing.
func (c *client) ask(ctx context.Context, q question) (answer, error) {
	servers, err := c.servers()
	if err != nil {
		return answer{}, err
	}
	if !c.begin(ctx) {
		return answer{}, ctx.Err()
	}
	defer c.end()
	for attempt := range attempts {
		for _, server := range servers {
			var a answer
			if a, err = c.askOne(ctx, server, q, attempt == 0); err == nil || ctx.Err() != nil {
				return a, err
			}
		}
	}
	return answer{}, err
}

func (c *client) begin(ctx context.Context) bool {
	if c.queries == nil {
		return true
	}
	select {
	case c.queries <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func (c *client) end() {
	if c.queries != nil {
		<-c.queries
	}
}

// askOne asks one server by UDP, without EDNS if it does not know that, and by TCP if the answer was too long.
func (c *client) askOne(ctx context.Context, server netip.AddrPort, q question, extended bool) (answer, error) {
	a, err := c.exchange(ctx, "udp", server, q, extended)
	if err == nil && extended && (a.code == dnsmessage.RCodeFormatError || a.code == dnsmessage.RCodeNotImplemented) {
		a, err = c.exchange(ctx, "udp", server, q, false)
	}
	if err == nil && a.truncated {
		a, err = c.exchange(ctx, "tcp", server, q, extended)
	}
	var timeout net.Error
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return answer{}, fmt.Errorf("%s: no answer in %s", server, c.timeout)
	case err != nil:
		return answer{}, fmt.Errorf("%s: %w", server, err)
	case a.truncated:
		return answer{}, fmt.Errorf("%s: the answer is cut off, by TCP, too", server)
	case a.code != dnsmessage.RCodeSuccess && a.code != dnsmessage.RCodeNameError:
		return answer{}, fmt.Errorf("%s: %s", server, codeName(a.code))
	}
	return a, nil
}

// codeName writes a response code as DNS tools do.
func codeName(code dnsmessage.RCode) string {
	switch code {
	case dnsmessage.RCodeFormatError:
		return "FORMERR"
	case dnsmessage.RCodeServerFailure:
		return "SERVFAIL"
	case dnsmessage.RCodeNameError:
		return "NXDOMAIN"
	case dnsmessage.RCodeNotImplemented:
		return "NOTIMP"
	case dnsmessage.RCodeRefused:
		return "REFUSED"
	}
	return fmt.Sprintf("response code %d", code)
}

// exchange sends q on a socket of its own, so that its port and its id are what nobody can guess (RFC 5452), and reads the answer.
func (c *client) exchange(ctx context.Context, network string, server netip.AddrPort, q question, extended bool) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	var id [2]byte
	_, _ = rand.Read(id[:]) // it never fails
	query, err := makeQuery(binary.BigEndian.Uint16(id[:]), q, extended)
	if err != nil {
		return answer{}, err
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, network, server.String())
	if err != nil {
		return answer{}, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) }) // of the past: whoever waits gives up
	defer stop()
	if network == "tcp" {
		return byTCP(conn, query, q)
	}
	return byUDP(conn, query, q)
}

// byUDP waits for the answer among what comes.
func byUDP(conn net.Conn, query []byte, q question) (answer, error) {
	if _, err := conn.Write(query); err != nil {
		return answer{}, err
	}
	var message [4096]byte
	for {
		n, err := conn.Read(message[:])
		if err != nil {
			return answer{}, err
		}
		a, err := readAnswer(message[:n], binary.BigEndian.Uint16(query), q)
		if !errors.Is(err, errNotOurs) {
			return a, err
		}
	}
}

// byTCP puts lengths before the messages (RFC 1035, section 4.2.2).
func byTCP(conn net.Conn, query []byte, q question) (answer, error) {
	framed := binary.BigEndian.AppendUint16(nil, uint16(len(query)))
	if _, err := conn.Write(append(framed, query...)); err != nil {
		return answer{}, err
	}
	var length [2]byte
	if _, err := io.ReadFull(conn, length[:]); err != nil {
		return answer{}, err
	}
	message := make([]byte, binary.BigEndian.Uint16(length[:]))
	if _, err := io.ReadFull(conn, message); err != nil {
		return answer{}, err
	}
	return readAnswer(message, binary.BigEndian.Uint16(query), q)
}
