package discover

import (
	"errors"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// maxUDP is the largest answer that servers may send by UDP: what passes everywhere without being cut into fragments (RFC 6891 and the DNS
// flag day of 2020).
const maxUDP = 1232

// maxAliases is how many names may lead to one another in one answer.
const maxAliases = 16

// question is what a DNS server is asked: an absolute name in lower case, and a type.
type question struct {
	name string
	kind dnsmessage.Type
}

// answer is what a DNS server says to a question.
type answer struct {
	code      dnsmessage.RCode
	truncated bool                    // the rest is to be had by TCP; nothing else is set
	addresses []netip.Addr            // of A or AAAA
	services  []service               // of SRV
	alias     string                  // the name to ask for, since this answer's names end there
	extra     map[string][]netip.Addr // addresses that came along, by name
	ttl       time.Duration           // the smallest of all; of an answer without records how long there are none
	lasting   bool                    // ttl was given
}

// service is an SRV record (RFC 2782).
type service struct {
	target                 string
	port, priority, weight uint16
}

// isEmpty reports whether there is nothing of what was asked for.
func (a *answer) isEmpty() bool { return len(a.addresses) == 0 && len(a.services) == 0 }

// makeQuery returns the message that asks q, with EDNS (RFC 6891) or without.
func makeQuery(id uint16, q question, extended bool) ([]byte, error) {
	name, err := dnsmessage.NewName(q.name)
	if err != nil {
		return nil, err
	}
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: id, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: name, Type: q.kind, Class: dnsmessage.ClassINET}},
	}
	if extended {
		var h dnsmessage.ResourceHeader
		if err := h.SetEDNS0(maxUDP, dnsmessage.RCodeSuccess, false); err != nil {
			return nil, err
		}
		m.Additionals = []dnsmessage.Resource{{Header: h, Body: &dnsmessage.OPTResource{}}}
	}
	return m.Pack()
}

// errNotOurs is of a message that answers something else than what was asked: by mistake, or because somebody guesses.
var errNotOurs = errors.New("the message is no answer to the question")

// readAnswer reads a message that must answer q and carry the id.
func readAnswer(message []byte, id uint16, q question) (answer, error) {
	var p dnsmessage.Parser
	h, err := p.Start(message)
	if err != nil || h.ID != id || !h.Response || h.OpCode != 0 {
		return answer{}, errNotOurs
	}
	asked, err := p.AllQuestions()
	// Servers that do not understand a query may not repeat the question.
	unread := len(asked) == 0 && (h.RCode == dnsmessage.RCodeFormatError || h.RCode == dnsmessage.RCodeNotImplemented)
	if err != nil || !unread && (len(asked) != 1 || !asks(asked[0], q)) {
		return answer{}, errNotOurs
	}
	if h.Truncated {
		return answer{truncated: true}, nil
	}
	r := answerReader{p: &p, q: q, byName: map[string][]netip.Addr{}, aliases: map[string]string{}, ttls: map[string]time.Duration{}, a: answer{code: h.RCode}}
	if err := errors.Join(r.readAnswers(), r.readAuthorities(), r.readAdditionals(h)); err != nil {
		return answer{}, err
	}
	return r.finish(), nil
}

func asks(got dnsmessage.Question, q question) bool {
	return got.Type == q.kind && got.Class == dnsmessage.ClassINET && lower(got.Name) == q.name
}

func lower(name dnsmessage.Name) string { return strings.ToLower(name.String()) }
