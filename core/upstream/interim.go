package upstream

import (
	"net/textproto"
	"sync"

	"github.com/sallyport/sallyport/core/header"
	"github.com/sallyport/sallyport/core/http1"
)

// interims passes 1xx answers on to the client, from a goroutine of its own: the one that reads them reads all streams of the
// connection and must not wait for a client.
type interims struct {
	mu     sync.Mutex
	queue  []interim
	count  int
	over   bool
	sender sync.WaitGroup
}

type interim struct {
	status int
	fields header.Fields
}

// got1xx takes in a 1xx answer; its error ends the stream.
func (s *stream) got1xx(status int, h textproto.MIMEHeader) error {
	in := &s.interims
	in.mu.Lock()
	defer in.mu.Unlock()
	in.count++
	switch {
	case status == 101:
		return errUnasked
	case in.count > maxInterim:
		return errTooManyInterim
	case status == 100 || s.x.Client == nil || in.over: // the engine sends its own 100 when the body is first wanted
		return nil
	}
	one := interim{status: status}
	addFields(&one.fields, h)
	in.queue = append(in.queue, one)
	if len(in.queue) == 1 {
		in.sender.Go(s.sendInterims)
	}
	return nil
}

// sendInterims sends what is queued until nothing is.
func (s *stream) sendInterims() {
	in := &s.interims
	for {
		in.mu.Lock()
		one := in.queue[0]
		in.mu.Unlock()
		if s.x.Client.Interim(one.status, &one.fields) != nil {
			s.end(errGone)
		}
		in.mu.Lock()
		in.queue = in.queue[1:]
		done := len(in.queue) == 0
		in.mu.Unlock()
		if done {
			return
		}
	}
}

// join ends it for the exchange, whose goroutine calls it, when what has come is sent. It reports whether anything had come.
func (in *interims) join() (any bool) {
	in.mu.Lock()
	in.over = true
	any = in.count > 0
	in.mu.Unlock()
	in.sender.Wait()
	return any
}

// addFields adds the fields of a head that pass.
func addFields(to *header.Fields, h map[string][]string) {
	for name, values := range h {
		for _, value := range values {
			if field := (header.Field{Name: name, Value: value}); http1.Passes(field) {
				to.Add(name, value)
			}
		}
	}
}
