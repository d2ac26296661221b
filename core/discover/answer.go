package discover

import (
	"errors"
	"math"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

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
	if address.IsUnspecified() || address.IsMulticast() {
		return nil // no server's: resolvers that block a name say 0.0.0.0, which would be this machine
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
