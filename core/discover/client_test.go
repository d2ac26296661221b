package discover

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

func clientOf(timeout time.Duration, servers ...netip.AddrPort) *client {
	return &client{timeout: timeout, queries: make(chan struct{}, 1), servers: func() ([]netip.AddrPort, error) { return servers, nil }}
}

func TestClient(t *testing.T) {
	right := func(query *dnsmessage.Message) *dnsmessage.Message {
		return zone{"a.test. A": {a("a.test.", 60, "10.0.0.1")}}.answer(query)
	}
	// wrong sends messages that must not be taken, and then the right one.
	wrong := func(change func(m *dnsmessage.Message)) func(*dnsmessage.Message, bool) [][]byte {
		return func(query *dnsmessage.Message, _ bool) [][]byte {
			m := zone{"a.test. A": {a("a.test.", 60, "10.6.6.6")}}.answer(query)
			m.Questions = slices.Clone(m.Questions)
			change(m)
			return [][]byte{pack(m), pack(right(query))}
		}
	}
	code := func(code dnsmessage.RCode) func(*dnsmessage.Message, bool) [][]byte {
		return func(query *dnsmessage.Message, _ bool) [][]byte { return [][]byte{pack(answerTo(query, code))} }
	}
	for _, c := range []struct {
		name  string
		reply func(*dnsmessage.Message, bool) [][]byte
		asked int // queries
		byTCP int
		fault string
	}{
		{"the answer", wrong(func(m *dnsmessage.Message) { m.Answers[0] = a("A.Test.", 60, "10.0.0.1") }), 1, 0, ""},
		{"another id", wrong(func(m *dnsmessage.Message) { m.ID++ }), 1, 0, ""},
		{"a query", wrong(func(m *dnsmessage.Message) { m.Response = false }), 1, 0, ""},
		{"another operation", wrong(func(m *dnsmessage.Message) { m.OpCode = 4 }), 1, 0, ""},
		{"another name", wrong(func(m *dnsmessage.Message) { m.Questions[0].Name = dnsmessage.MustNewName("b.test.") }), 1, 0, ""},
		{"another type", wrong(func(m *dnsmessage.Message) { m.Questions[0].Type = dnsmessage.TypeAAAA }), 1, 0, ""},
		{"another class", wrong(func(m *dnsmessage.Message) { m.Questions[0].Class = dnsmessage.ClassCHAOS }), 1, 0, ""},
		{"no question", wrong(func(m *dnsmessage.Message) { m.Questions = nil }), 1, 0, ""},
		{"two questions", wrong(func(m *dnsmessage.Message) { m.Questions = append(m.Questions, m.Questions[0]) }), 1, 0, ""},
		{"a name in capitals", func(query *dnsmessage.Message, _ bool) [][]byte {
			m := right(query)
			m.Questions = []dnsmessage.Question{{Name: dnsmessage.MustNewName("A.tesT."), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}}
			return [][]byte{pack(m)}
		}, 1, 0, ""},
		{"noise", func(query *dnsmessage.Message, _ bool) [][]byte {
			return [][]byte{{}, []byte("hello"), make([]byte, 2000), pack(right(query))}
		}, 1, 0, ""},
		{"truncated", func(query *dnsmessage.Message, tcp bool) [][]byte {
			m := right(query)
			if m.Truncated = !tcp; m.Truncated {
				m.Answers = nil
			}
			return [][]byte{pack(m)}
		}, 2, 1, ""},
		{"truncated by TCP, too", func(query *dnsmessage.Message, _ bool) [][]byte {
			m := right(query)
			m.Truncated = true
			return [][]byte{pack(m)}
		}, 4, 2, "cut off"},
		{"another id by TCP", func(query *dnsmessage.Message, tcp bool) [][]byte {
			m := right(query)
			if m.Truncated = !tcp; tcp {
				m.ID++
			}
			return [][]byte{pack(m)}
		}, 4, 2, "no answer to the question"},
		{"EDNS is not known", func(query *dnsmessage.Message, _ bool) [][]byte {
			if len(query.Additionals) == 0 {
				return [][]byte{pack(right(query))}
			}
			m := answerTo(query, dnsmessage.RCodeFormatError)
			m.Questions = nil
			return [][]byte{pack(m)}
		}, 2, 0, ""},
		{"EDNS is swallowed", func(query *dnsmessage.Message, _ bool) [][]byte {
			if len(query.Additionals) == 0 {
				return [][]byte{pack(right(query))}
			}
			return nil
		}, 2, 0, ""},
		{"an unknown version of EDNS", func(query *dnsmessage.Message, _ bool) [][]byte {
			m := answerTo(query, dnsmessage.RCodeSuccess)
			var h dnsmessage.ResourceHeader
			do(t, h.SetEDNS0(512, 16, false))
			m.Additionals = []dnsmessage.Resource{{Header: h, Body: &dnsmessage.OPTResource{}}}
			return [][]byte{pack(m)}
		}, 2, 0, "response code 16"},
		{"SERVFAIL", code(dnsmessage.RCodeServerFailure), 2, 0, "SERVFAIL"},
		{"REFUSED", code(dnsmessage.RCodeRefused), 2, 0, "REFUSED"},
		{"FORMERR", code(dnsmessage.RCodeFormatError), 3, 0, "FORMERR"},
		{"NOTIMP", code(dnsmessage.RCodeNotImplemented), 3, 0, "NOTIMP"},
		{"cut in its middle", func(query *dnsmessage.Message, _ bool) [][]byte {
			data := pack(right(query))
			return [][]byte{data[:len(data)-2]}
		}, 2, 0, "insufficient data"},
		{"silence", func(*dnsmessage.Message, bool) [][]byte { return nil }, 2, 0, "no answer in"},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := startDNS(t, c.reply)
			timeout := 10 * time.Second
			switch {
			case strings.Contains(c.fault, "no answer in"):
				timeout = 50 * time.Millisecond
			case strings.Contains(c.name, "swallowed"): // the first query is waited for as long as the second one may take
				timeout = time.Second
			}
			got, err := clientOf(timeout, server.addr).ask(t.Context(), question{"a.test.", dnsmessage.TypeA})
			switch {
			case c.fault != "" && (err == nil || !strings.Contains(err.Error(), c.fault) || !strings.HasPrefix(err.Error(), server.addr.String())):
				t.Errorf("got %+v and error %v, want %q", got, err, c.fault)
			case c.fault == "" && (err != nil || !slices.Equal(got.addresses, []netip.Addr{netip.MustParseAddr("10.0.0.1")}) || got.ttl != time.Minute):
				t.Errorf("got %+v and %v", got, err)
			}
			until(t, "what was asked has come", func() bool { return len(server.asked()) >= c.asked }) // behind the time-out, perhaps
			asked := server.asked()
			if len(asked) != c.asked || server.byTCP != c.byTCP {
				t.Errorf("%d queries, %d by TCP, want %d and %d", len(asked), server.byTCP, c.asked, c.byTCP)
			}
			if h := asked[0].Additionals; len(h) != 1 || h[0].Header.Type != dnsmessage.TypeOPT || h[0].Header.Class != maxUDP || !asked[0].RecursionDesired {
				t.Errorf("the query is %+v", asked[0])
			}
		})
	}
}

// The next server is asked when one does not answer or cannot; what it says of a name that does not exist holds.
func TestClientAsksTheNext(t *testing.T) {
	broken := startDNS(t, func(query *dnsmessage.Message, _ bool) [][]byte {
		return [][]byte{pack(answerTo(query, dnsmessage.RCodeServerFailure))}
	})
	good := startDNS(t, zone{"a.test. A": {a("a.test.", 60, "10.0.0.1")}}.reply)
	other := startDNS(t, zone{"b.test. A": {a("b.test.", 60, "10.0.0.2")}}.reply)
	c := clientOf(10*time.Second, netip.MustParseAddrPort("127.0.0.1:1"), broken.addr, good.addr, other.addr)
	got, err := c.ask(t.Context(), question{"a.test.", dnsmessage.TypeA})
	if err != nil || len(got.addresses) != 1 {
		t.Errorf("got %+v, %v", got, err)
	}
	got, err = c.ask(t.Context(), question{"b.test.", dnsmessage.TypeA})
	if err != nil || got.code != dnsmessage.RCodeNameError {
		t.Errorf("got %+v, %v", got, err)
	}
	if n := len(other.asked()); n != 0 {
		t.Errorf("the last server was asked %d times", n)
	}
}

// Ids and ports differ from query to query.
func TestClientCannotBeGuessed(t *testing.T) {
	server := startDNS(t, zone{}.reply)
	ids := map[uint16]bool{}
	for range 20 {
		if _, err := clientOf(10*time.Second, server.addr).ask(t.Context(), question{"a.test.", dnsmessage.TypeA}); err != nil {
			t.Fatal(err)
		}
	}
	for _, query := range server.asked() {
		ids[query.ID] = true
	}
	if len(ids) < 18 {
		t.Errorf("%d ids of 20 queries", len(ids))
	}
}

func TestClientGivesUp(t *testing.T) {
	arrived := make(chan struct{}, 10)
	server := startDNS(t, func(*dnsmessage.Message, bool) [][]byte {
		arrived <- struct{}{}
		return nil
	})
	c := clientOf(time.Hour, server.addr)
	ctx, cancel := context.WithCancel(t.Context())
	errs := make(chan error, 2)
	for range 2 { // one asks, the other waits for its turn
		go func() {
			_, err := c.ask(ctx, question{"a.test.", dnsmessage.TypeA})
			errs <- err
		}()
	}
	<-arrived
	cancel()
	for range 2 {
		if err := <-errs; err == nil {
			t.Error("no error")
		}
	}
	if n := len(server.asked()); n != 1 {
		t.Errorf("%d queries, want 1", n)
	}
}

func TestSystemServers(t *testing.T) {
	file := t.TempDir() + "/resolv.conf"
	for text, want := range map[string]string{
		"":                      "127.0.0.1:53",
		"search a.b\noptions x": "127.0.0.1:53",
		"# comment\nnameserver 10.0.0.1 # x\n\tnameserver ::1\nnameserver\nnameserver x\nnameserver fe80::1%lo\nnameserver 10.0.0.4\n": "10.0.0.1:53 [::1]:53 [fe80::1%lo]:53",
	} {
		write(t, file, text)
		servers, err := systemServers(file)
		do(t, err)
		var got []string
		for _, server := range servers {
			got = append(got, server.String())
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: got %v, want %s", text, got, want)
		}
	}
	if servers, err := systemServers(file + ".gone"); err != nil || len(servers) != 1 {
		t.Errorf("without a file: %v, %v", servers, err)
	}
}
