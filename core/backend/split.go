package backend

import (
	"errors"
	"hash/fnv"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/key"
)

// Answerer ends a chain: it fills the response or says why it could not.
type Answerer interface {
	Answer(x *exchange.Exchange) *fault.Fault
}

// Branch is one way that a Split may take.
type Branch struct {
	Name   string
	Weight int // its share relative to the others; 0: only who asks for it, or belongs there by cookie
	To     Answerer
}

// SplitOptions say how exchanges find their branch: who names one takes it, who lacks what keeps it with one takes any, by the weights.
type SplitOptions struct {
	Branches []Branch
	By       *key.Part // its value names the branch; nil: nothing does
	Sticky   *key.Part // of the same value all take the same branch; nil: none do
	// Cookie names a cookie that is set to the branch's name and takes the client there again; "" for none.
	Cookie string
	MaxAge time.Duration // of the cookie; 0: until the browser is closed
}

// Split sends shares of its exchanges different ways. It may be used by many goroutines.
type Split struct {
	o      SplitOptions
	cookie *key.Part
	total  uint32
	turn   turn
	counts []atomic.Uint64
}

var errWeights = errors.New("the weights of the branches must come to something, and to less than 2³¹")

// NewSplit returns a Split. A share grows by taking clients from those before it: of two branches none changes that is in the growing one.
func NewSplit(o SplitOptions) (*Split, error) {
	s := &Split{o: o, counts: make([]atomic.Uint64, len(o.Branches))}
	total := 0
	for _, b := range o.Branches {
		total += max(b.Weight, 0)
	}
	if total < 1 || total >= 1<<31 {
		return nil, errWeights
	}
	s.total = uint32(total)
	if o.Cookie != "" {
		part, err := key.Parse("cookie:" + o.Cookie)
		if err != nil {
			return nil, err
		}
		s.cookie = &part
	}
	return s, nil
}

// Answer has a branch answer, and sets the cookie where it is missing or names no branch.
func (s *Split) Answer(x *exchange.Exchange) *fault.Fault {
	place, known := s.choose(x)
	b := &s.o.Branches[place]
	s.counts[place].Add(1)
	f := b.To.Answer(x)
	if f == nil && s.cookie != nil && !known {
		x.Resp.Fields.Add("Set-Cookie", s.setCookie(x, b.Name))
	}
	return f
}

// choose returns the branch's place, and whether the client's cookie has said so.
func (s *Split) choose(x *exchange.Exchange) (place int, known bool) {
	pinned := s.named(s.cookie, x)
	if place := s.named(s.o.By, x); place >= 0 {
		return place, place == pinned
	}
	if pinned >= 0 {
		return pinned, true
	}
	if s.o.Sticky != nil {
		if value, ok := s.o.Sticky.Value(x); ok {
			return s.at(scale(spread(value), s.total)), false
		}
	}
	return s.at(s.turn.next(s.total)), false
}

// named returns the place of the branch that the part's value names, -1 if it names none.
func (s *Split) named(part *key.Part, x *exchange.Exchange) int {
	if part == nil {
		return -1
	}
	value, ok := part.Value(x)
	if !ok {
		return -1
	}
	for i := range s.o.Branches {
		if s.o.Branches[i].Name == value {
			return i
		}
	}
	return -1
}

// at returns the branch in whose share the point lies.
func (s *Split) at(point uint32) int {
	for i := range s.o.Branches {
		weight := uint32(s.o.Branches[i].Weight)
		if point < weight {
			return i
		}
		point -= weight
	}
	return len(s.o.Branches) - 1
}

// spread hashes a value, the same way in every gateway and after every start. Nothing is gained by who makes values meet.
func spread(value string) uint32 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(value)) // it never fails
	return uint32(h.Sum64() * 0x9E3779B97F4A7C15 >> 32)
}

func (s *Split) setCookie(x *exchange.Exchange, name string) string {
	text := s.o.Cookie + "=" + name + "; Path=/; HttpOnly; SameSite=Lax"
	if s.o.MaxAge > 0 {
		text += "; Max-Age=" + strconv.FormatInt(int64(s.o.MaxAge/time.Second), 10)
	}
	if x.Req.Scheme == "https" {
		text += "; Secure"
	}
	return text
}

// Counts returns how many exchanges each branch has had, by its name.
func (s *Split) Counts() map[string]uint64 {
	counts := make(map[string]uint64, len(s.counts))
	for i := range s.counts {
		counts[s.o.Branches[i].Name] = s.counts[i].Load()
	}
	return counts
}
