package sallyport

import (
	"encoding/binary"
	"time"

	"github.com/sallyport/sallyport/sdk/go/internal/host"
)

// FetchRequest is a request of the plugin's own. The zero value is a GET of /.
type FetchRequest struct {
	Method    string        // "GET" if empty
	Path      string        // with its query; "/" if empty
	Authority string        // the host that is asked for; the endpoint's address if empty
	Headers   []Header      // the request id goes along as X-Request-Id, unless that is among them
	Body      []byte        // at most 1 MiB
	Timeout   time.Duration // rounded up to milliseconds; 0 for the gateway's fetch_timeout, which is also the most
}

// Answer is what an upstream answered to a fetch, whatever its status. It can be read until the exchange ends, in request and
// response hooks. Its body is there whole, up to 1 MiB; a larger one is ErrUnavailable.
type Answer struct {
	Headers Headers
	Body    Body
}

// Status returns the answer's status code.
func (a Answer) Status() int { return int(max(0, host.Status(a.Headers.message))) }

// firstFetch is the handle of the first fetch's answer. Those after it count up.
const firstFetch = 16

func answerOf(message uint32) Answer { return Answer{Headers{message}, Body{message}} }

// Fetch asks an upstream of gateway.toml, by the grant "fetch:NAME", and waits for the answer. The copy of the plugin is held meanwhile,
// and the gateway lets only some (max_waiting) hold still at once: ErrUnavailable for those beyond, as for an upstream that does not
// answer. ErrTimedOut when the time is over. To wait without being held, or for several at once, use StartFetch.
//
// What was asked cannot be undone: a hook that fails afterwards is not tried again.
func Fetch(upstream string, r FetchRequest) (Answer, error) {
	ms, err := milliseconds(r.Timeout)
	if err != nil {
		return Answer{}, err
	}
	id := host.Fetch(upstream, r.fields(), r.Body, ms)
	return answerOf(uint32(id)), failure(id)
}

// StartFetch is Fetch without waiting. It returns the fetch's number: 0 for the first one of this filter in this exchange, 1 for the
// next, those of Fetch counted, too; at most 16. When all are started, `return r.Wait()`.
func StartFetch(upstream string, r FetchRequest) (number int, err error) {
	ms, err := milliseconds(r.Timeout)
	if err != nil {
		return 0, err
	}
	id := host.FetchStart(upstream, r.fields(), r.Body, ms)
	if id < 0 {
		return 0, failure(id)
	}
	return int(id) - firstFetch, nil
}

// Fetched returns the answer to the fetch of that number. ErrTimedOut or ErrUnavailable if there is none, ErrCancelled if the client has
// gone, ErrConflict while it is under way, ErrNotFound if no fetch has the number.
func Fetched(number int) (Answer, error) {
	if number < 0 {
		return Answer{}, ErrNotFound
	}
	id := uint32(number) + firstFetch
	return answerOf(id), failure(host.FetchResult(id))
}

// fetchFields receives the field list of a fetch: only one is made at a time.
var fetchFields []byte

// fields writes what the request has as a field list (sdk/ABI.md, section 10).
func (r *FetchRequest) fields() []byte {
	pseudo := [...]Header{{":method", r.Method}, {":path", r.Path}, {":authority", r.Authority}}
	b := append(fetchFields[:0], 0, 0, 0, 0)
	count := uint32(len(r.Headers))
	for _, h := range pseudo {
		if h.Value != "" {
			b = appendLengths(b, h)
			count++
		}
	}
	for _, h := range r.Headers {
		b = appendLengths(b, h)
	}
	for _, h := range pseudo {
		if h.Value != "" {
			b = append(append(b, h.Name...), h.Value...)
		}
	}
	for _, h := range r.Headers {
		b = append(append(b, h.Name...), h.Value...)
	}
	binary.LittleEndian.PutUint32(b, count)
	fetchFields = b
	return b
}

func appendLengths(b []byte, h Header) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(len(h.Name)))
	return binary.LittleEndian.AppendUint32(b, uint32(len(h.Value)))
}
