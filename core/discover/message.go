package discover

import (
	"errors"
	"math"
	"net/netip"
	"slices"
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

// answerReader reads the sections of one message.
type answerReader struct {
	p        *dnsmessage.Parser
	q        question
	byName   map[string][]netip.Addr
	aliases  map[string]string
	ttls     map[string]time.Duration // the smallest of each name's records
	services []struct {
		name string
		service
	}
	negative time.Duration // of the SOA record
	bounded  bool          // there was one
	a        answer
}

func (r *answerReader) readAnswers() error {
	for {
		h, err := r.p.AnswerHeader()
		switch {
		case errors.Is(err, dnsmessage.ErrSectionDone):
			return nil
		case err != nil:
			return err
		case h.Class != dnsmessage.ClassINET || h.Type != r.q.kind && h.Type != dnsmessage.TypeCNAME:
			err = r.p.SkipAnswer()
		default:
			r.bound(h)
			err = r.readRecord(h)
		}
		if err != nil {
			return err
		}
	}
}

// bound notes how long a record holds.
func (r *answerReader) bound(h dnsmessage.ResourceHeader) {
	name, ttl := lower(h.Name), seconds(h.TTL)
	if before, ok := r.ttls[name]; ok {
		ttl = min(ttl, before)
	}
	r.ttls[name] = ttl
}

// seconds reads a TTL: one with the highest bit set is 0 (RFC 2181, section 8).
func seconds(ttl uint32) time.Duration {
	if ttl > math.MaxInt32 {
		return 0
	}
	return time.Duration(ttl) * time.Second
}

func (r *answerReader) readRecord(h dnsmessage.ResourceHeader) error {
	switch h.Type {
	case dnsmessage.TypeCNAME:
		record, err := r.p.CNAMEResource()
		if err == nil {
			r.aliases[lower(h.Name)] = lower(record.CNAME)
		}
		return err
	case dnsmessage.TypeSRV:
		record, err := r.p.SRVResource()
		if err == nil {
			r.services = append(r.services, struct {
				name string
				service
			}{lower(h.Name), service{lower(record.Target), record.Port, record.Priority, record.Weight}})
		}
		return err
	}
	return r.readAddress(h, r.byName)
}

// readAddress reads an A or AAAA record.
func (r *answerReader) readAddress(h dnsmessage.ResourceHeader, byName map[string][]netip.Addr) error {
	var address netip.Addr
	if h.Type == dnsmessage.TypeA {
		record, err := r.p.AResource()
		if err != nil {
			return err
		}
		address = netip.AddrFrom4(record.A)
	} else {
		record, err := r.p.AAAAResource()
		if err != nil {
			return err
		}
		address = netip.AddrFrom16(record.AAAA).Unmap()
	}
	name := lower(h.Name)
	byName[name] = append(byName[name], address)
	return nil
}

// readAuthorities looks for how long it holds that there is nothing (RFC 2308, section 5).
func (r *answerReader) readAuthorities() error {
	for {
		h, err := r.p.AuthorityHeader()
		switch {
		case errors.Is(err, dnsmessage.ErrSectionDone):
			return nil
		case err != nil:
			return err
		case h.Class != dnsmessage.ClassINET || h.Type != dnsmessage.TypeSOA:
			err = r.p.SkipAuthority()
		default:
			var record dnsmessage.SOAResource
			record, err = r.p.SOAResource()
			r.negative, r.bounded = min(seconds(h.TTL), seconds(record.MinTTL)), true
		}
		if err != nil {
			return err
		}
	}
}

// readAdditionals keeps the addresses that come along, and the upper bits of the code.
func (r *answerReader) readAdditionals(header dnsmessage.Header) error {
	extra := map[string][]netip.Addr{}
	for {
		h, err := r.p.AdditionalHeader()
		switch {
		case errors.Is(err, dnsmessage.ErrSectionDone):
			r.a.extra = extra
			return nil
		case err != nil:
			return err
		case h.Type == dnsmessage.TypeOPT:
			r.a.code = h.ExtendedRCode(header.RCode)
			err = r.p.SkipAdditional()
		case r.q.kind == dnsmessage.TypeSRV && h.Class == dnsmessage.ClassINET && (h.Type == dnsmessage.TypeA || h.Type == dnsmessage.TypeAAAA):
			r.bound(h)
			err = r.readAddress(h, extra)
		default:
			err = r.p.SkipAdditional()
		}
		if err != nil {
			return err
		}
	}
}

// finish follows the names, and takes what belongs to the last.
func (r *answerReader) finish() answer {
	name, used := r.q.name, []string{r.q.name}
	for range maxAliases {
		if next, ok := r.aliases[name]; ok {
			name, used = next, append(used, next)
		}
	}
	r.a.addresses = r.byName[name]
	for _, s := range r.services {
		if s.name == name {
			r.a.services, used = append(r.a.services, s.service), append(used, s.target)
		}
	}
	if r.a.isEmpty() && r.a.code == dnsmessage.RCodeSuccess && name != r.q.name && !r.bounded {
		r.a.alias = name
	}
	if r.a.isEmpty() && r.a.alias == "" {
		r.a.ttl, r.a.lasting = r.negative, r.bounded
	} else {
		r.a.ttl, r.a.lasting = r.shortest(used), true
	}
	slices.SortFunc(r.a.addresses, netip.Addr.Compare)
	r.a.addresses = slices.Compact(r.a.addresses)
	return r.a
}

// shortest returns how long all records of the names hold.
func (r *answerReader) shortest(names []string) time.Duration {
	shortest := time.Duration(math.MaxInt64)
	for _, name := range names {
		if ttl, ok := r.ttls[name]; ok {
			shortest = min(shortest, ttl)
		}
	}
	return shortest
}
