package upstream

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
)

// RetryOptions say when and how a request is sent again. How often is Options.Retries.
type RetryOptions struct {
	// On are the reasons: "connect" (nothing of the request was acted on: no connection, or a refused stream), "reset" (the connection broke
	// ahead of the answer), "timeout" (a try took too long), a status such as "503", or a status of gRPC such as "grpc-unavailable".
	On []string
	// Methods may be sent again after the server may have acted on them; empty stands for those that RFC 9110 calls idempotent.
	Methods    []string
	TryTimeout time.Duration // up to a try's response head; 0: no bound of its own
	Backoff    time.Duration // the most that the first retry is waited for, doubled for each further one; 0: none is
	MaxBackoff time.Duration // the most at all
	Budget     int           // retries in percent of the first tries, of which three may always be under way; 0: no bound
	MaxBody    int64         // bytes of content that are held to be sent again; 0: only what is at hand
	RetryAfter time.Duration // the longest Retry-After that is waited for: an answer that asks for more is the answer
}

// callStatus returns the status of gRPC that an option names, "" if it names none.
func callStatus(on string) string {
	switch on {
	case "grpc-deadline-exceeded":
		return "4"
	case "grpc-resource-exhausted":
		return "8"
	case "grpc-internal":
		return "13"
	case "grpc-unavailable":
		return "14"
	}
	return ""
}

// reason is why a try is not the last word.
type reason uint8

const (
	final    reason = iota // it is
	unsent                 // nothing of the request was acted on
	broken                 // the connection broke ahead of the answer
	overdue                // the try took too long
	answered               // with a status that says so
)

// retryPolicy is RetryOptions made ready. It is immutable.
type retryPolicy struct {
	RetryOptions
	count    int
	faults   [answered]bool
	statuses []int
	calls    []string // of Grpc-Status
}

// plainRetry is the policy of an Upstream whose options have none.
func plainRetry() *RetryOptions { return &RetryOptions{On: []string{"connect", "reset"}} }

func newRetryPolicy(count int, o *RetryOptions) (*retryPolicy, error) {
	if o == nil {
		o = plainRetry()
	}
	p := &retryPolicy{RetryOptions: *o, count: count}
	for _, on := range o.On {
		if err := p.add(on); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (p *retryPolicy) add(on string) error {
	switch on {
	case "connect":
		p.faults[unsent] = true
		return nil
	case "reset":
		p.faults[broken] = true
		return nil
	case "timeout":
		p.faults[overdue] = true
		return nil
	}
	if code := callStatus(on); code != "" {
		p.calls = append(p.calls, code)
		return nil
	}
	status, err := strconv.Atoi(on)
	if err != nil || status < 400 || status > 599 {
		return fmt.Errorf("no reason %q for a retry", on)
	}
	p.statuses = append(p.statuses, status)
	return nil
}

// mayRepeat reports whether a request with that method may be sent again although the server may have acted on it.
func (p *retryPolicy) mayRepeat(method string) bool {
	if len(p.Methods) == 0 {
		return isIdempotent(method)
	}
	return slices.Contains(p.Methods, method)
}

// ofFault returns why a try that failed is not the last word. The transport has seen to it that a fault with Retry can be sent again.
func (p *retryPolicy) ofFault(f *fault.Fault, repeatable, late bool) reason {
	why := final
	switch {
	case f.Retry && isUnsent(f):
		why = unsent
	case f.Retry && repeatable:
		why = broken
	case repeatable && !late && f.Kind == fault.GatewayTimeout && errors.Is(f.Err, errLate):
		why = overdue
	}
	if why != final && p.faults[why] {
		return why
	}
	return final
}

// isUnsent reports whether a fault says that the server has seen nothing that it could act on.
func isUnsent(f *fault.Fault) bool {
	return errors.As(f.Err, new(unconnected)) || errors.As(f.Err, new(unprocessed))
}

// asksAgain reports whether the response says that another try may fare better. Who lists a status of gRPC wants calls sent again that have
// ended with it: they are all POST.
func (p *retryPolicy) asksAgain(r *exchange.Response, repeatable bool) bool {
	if repeatable && slices.Contains(p.statuses, r.Status) {
		return true
	}
	if len(p.calls) == 0 {
		return false
	}
	code, ended := r.Fields.Get("Grpc-Status")
	return ended && slices.Contains(p.calls, code)
}

// pause returns how long to wait before the n-th retry, from 1: any time up to a bound that doubles, so that those who failed together do
// not come back together.
func (p *retryPolicy) pause(n int) time.Duration {
	bound := p.Backoff
	for ; n > 1 && bound < p.MaxBackoff; n-- {
		bound *= 2
	}
	if bound = min(bound, p.MaxBackoff); bound <= 0 {
		return 0
	}
	return rand.N(bound)
}

// retryAfter returns for how long the response asks to be left alone (RFC 9110, section 10.2.3); false if it does not.
func retryAfter(r *exchange.Response, now time.Time) (time.Duration, bool) {
	text, ok := r.Fields.Get("Retry-After")
	if !ok {
		return 0, false
	}
	if seconds, err := strconv.ParseUint(strings.TrimSpace(text), 10, 31); err == nil {
		return time.Duration(seconds) * time.Second, true
	}
	at, err := http.ParseTime(text)
	return max(at.Sub(now), 0), err == nil
}
