package filter

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"time"

	"github.com/sallyport/sallyport/core/chain"
	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/key"
	"github.com/sallyport/sallyport/core/limit"
)

// RateLimitOptions say what is limited and by what.
type RateLimitOptions struct {
	Name string // of the policy in the RateLimit fields
	Rate limit.Rate
	// By are the parts of the key: see key.Parse. A request that lacks one shares a bucket with the others that do.
	By []string
	// Answer puts the answer to a denied request into the response.
	Answer func(x *exchange.Exchange, status int, title string)
	// Seed keeps the keys of one limiter the same from one generation to the next.
	Seed limit.Seed
}

// RateLimit is the native filter that denies requests past a rate, with 429 (RFC 6585) and Retry-After, and tells on every answer what is
// left in RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers).
type RateLimit struct {
	limiter *limit.Limiter
	seed    limit.Seed
	parts   []key.Part
	answer  func(x *exchange.Exchange, status int, title string)
	name    string // quoted, with the parameter's beginning
	policy  string
}

// NewRateLimit returns a filter that takes from the limiter, whose rate must be the options'.
func NewRateLimit(o RateLimitOptions, limiter *limit.Limiter) (*RateLimit, error) {
	r := &RateLimit{limiter: limiter, seed: o.Seed, answer: o.Answer}
	for _, by := range o.By {
		part, err := key.Parse(by)
		if err != nil {
			return nil, err
		}
		r.parts = append(r.parts, part)
	}
	quoted := strconv.Quote(o.Name)
	r.name = quoted + ";r="
	r.policy = fmt.Sprintf("%s;q=%d;w=%d", quoted, o.Rate.Count, seconds(o.Rate.Per))
	return r, nil
}

// Hooks asks for the request, to decide, and for the response, to tell.
func (r *RateLimit) Hooks() chain.Hooks { return chain.OnRequest | chain.OnResponse }

// Request takes one from the key's bucket.
func (r *RateLimit) Request(x *exchange.Exchange, place int) (chain.Verdict, error) {
	d := r.limiter.Take(r.key(x), r.limiter.At(x.Times.Start), 1)
	if d.Allowed {
		state := x.State(place)
		*state = binary.LittleEndian.AppendUint64((*state)[:0], uint64(d.Remaining))
		*state = binary.LittleEndian.AppendUint64(*state, uint64(seconds(d.Reset)))
		return chain.Continue, nil
	}
	r.answer(x, 429, "Too Many Requests")
	x.Resp.Fields.Add("Retry-After", number(x, max(seconds(d.RetryAfter), 1)))
	r.tell(x, d.Remaining, seconds(d.Reset))
	return chain.Respond, nil
}

// Response tells what was left when the request was let through.
func (r *RateLimit) Response(x *exchange.Exchange, place int) error {
	state := *x.State(place)
	r.tell(x, int64(binary.LittleEndian.Uint64(state)), int64(binary.LittleEndian.Uint64(state[8:])))
	return nil
}

func (r *RateLimit) tell(x *exchange.Exchange, remaining, reset int64) {
	var room [128]byte
	b := append(room[:0], r.name...)
	b = strconv.AppendInt(b, remaining, 10)
	b = append(b, ";t="...)
	b = strconv.AppendInt(b, reset, 10)
	x.Resp.Fields.Add("RateLimit-Policy", r.policy)
	x.Resp.Fields.Add("RateLimit", x.Text.Copy(b))
}

func (r *RateLimit) key(x *exchange.Exchange) uint64 {
	sum := uint64(0)
	for i := range r.parts {
		sum = r.parts[i].Join(r.seed, sum, x)
	}
	return sum
}

// seconds rounds up: whoever comes back then finds it true.
func seconds(d time.Duration) int64 {
	return int64((d + time.Second - 1) / time.Second)
}

func number(x *exchange.Exchange, n int64) string {
	var room [20]byte
	return x.Text.Copy(strconv.AppendInt(room[:0], n, 10))
}
