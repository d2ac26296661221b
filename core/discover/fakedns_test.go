package discover

import (
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/sallyport/sallyport/core/gatewaytest/free"
)

// fakeDNS is a DNS server, by UDP and TCP at one port, that answers as a test says.
type fakeDNS struct {
	addr netip.AddrPort

	mu      sync.Mutex
	queries []dnsmessage.Message
	byTCP   int
	// reply makes what is sent in answer to a query: any number of messages.
	reply func(query *dnsmessage.Message, tcp bool) [][]byte
}

func startDNS(t testing.TB, reply func(query *dnsmessage.Message, tcp bool) [][]byte) *fakeDNS {
	t.Helper()
	listener, err := net.Listen("tcp", free.Address(t))
	do(t, err)
	addr := listener.Addr().(*net.TCPAddr).AddrPort()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(addr))
	do(t, err)
	s := &fakeDNS{addr: addr, reply: reply}
	var group sync.WaitGroup
	group.Go(func() { s.serveUDP(conn) })
	group.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			s.serveTCP(c)
		}
	})
	t.Cleanup(func() {
		conn.Close()
		listener.Close()
		group.Wait()
	})
	return s
}

func (s *fakeDNS) answers(message []byte, tcp bool) [][]byte {
	var query dnsmessage.Message
	if query.Unpack(message) != nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queries = append(s.queries, query)
	if tcp {
		s.byTCP++
	}
	return s.reply(&query, tcp)
}

func (s *fakeDNS) serveUDP(conn *net.UDPConn) {
	buf := make([]byte, 4096)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		for _, answer := range s.answers(buf[:n], false) {
			_, _ = conn.WriteToUDPAddrPort(answer, from) // the client notices
		}
	}
}

func (s *fakeDNS) serveTCP(c net.Conn) {
	defer c.Close()
	var length [2]byte
	if _, err := io.ReadFull(c, length[:]); err != nil {
		return
	}
	message := make([]byte, binary.BigEndian.Uint16(length[:]))
	if _, err := io.ReadFull(c, message); err != nil {
		return
	}
	for _, answer := range s.answers(message, true) {
		_, _ = c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...))
	}
}

func (s *fakeDNS) asked() []dnsmessage.Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.queries
}

// zone is records by name and type, in lower case: "a.test. A".
type zone map[string][]dnsmessage.Resource

// reply answers from the zone, with what CNAME records lead to.
func (z zone) reply(query *dnsmessage.Message, _ bool) [][]byte {
	return [][]byte{pack(z.answer(query))}
}

func (z zone) answer(query *dnsmessage.Message) *dnsmessage.Message {
	m := answerTo(query, dnsmessage.RCodeSuccess)
	q := query.Questions[0]
	name := strings.ToLower(q.Name.String())
	kind := strings.TrimPrefix(q.Type.String(), "Type")
	m.Answers = z[name+" "+kind]
	exists := false
	for key := range z {
		exists = exists || strings.HasPrefix(key, name+" ")
	}
	if !exists {
		m.RCode = dnsmessage.RCodeNameError
	}
	if len(m.Answers) == 0 {
		m.Authorities = z["SOA"]
	}
	return m
}

func answerTo(query *dnsmessage.Message, code dnsmessage.RCode) *dnsmessage.Message {
	return &dnsmessage.Message{
		Header:    dnsmessage.Header{ID: query.ID, Response: true, RCode: code, RecursionAvailable: true},
		Questions: query.Questions,
	}
}

func pack(m *dnsmessage.Message) []byte {
	data, err := m.Pack()
	if err != nil {
		panic(err)
	}
	return data
}

func record(name string, ttl uint32, body dnsmessage.ResourceBody) dnsmessage.Resource {
	return dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: dnsmessage.MustNewName(name), Class: dnsmessage.ClassINET, TTL: ttl}, Body: body}
}

func a(name string, ttl uint32, address string) dnsmessage.Resource {
	ip := netip.MustParseAddr(address)
	if ip.Is4() {
		return record(name, ttl, &dnsmessage.AResource{A: ip.As4()})
	}
	return record(name, ttl, &dnsmessage.AAAAResource{AAAA: ip.As16()})
}

func cname(name string, ttl uint32, target string) dnsmessage.Resource {
	return record(name, ttl, &dnsmessage.CNAMEResource{CNAME: dnsmessage.MustNewName(target)})
}

func srv(name string, ttl uint32, priority, weight, port uint16, target string) dnsmessage.Resource {
	return record(name, ttl, &dnsmessage.SRVResource{Priority: priority, Weight: weight, Port: port, Target: dnsmessage.MustNewName(target)})
}

func soa(ttl, least uint32) dnsmessage.Resource {
	return record("test.", ttl, &dnsmessage.SOAResource{NS: dnsmessage.MustNewName("ns.test."), MBox: dnsmessage.MustNewName("x.test."), MinTTL: least})
}
