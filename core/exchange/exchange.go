// Package exchange is one request and its answer, from the first byte read to the line in the log.
package exchange

import (
	"crypto/tls"
	"io"
	"net"
	"net/netip"
	"time"

	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/header"
	"github.com/sallyport/sallyport/core/trace"
)

// Handler answers exchanges. An engine calls Serve once a request's head is read (or could not be: then Fault is
// set), writes what Serve left in Resp, and calls End once whatever happened. Neither may keep the Exchange.
type Handler interface {
	Serve(x *Exchange)
	End(x *Exchange)
}

// Client is the engine's side of an Exchange: what can be asked of the connection that the request came on.
type Client interface {
	// Gone reports whether the client has hung up. It costs a system call.
	Gone() bool
	// Interim sends a 1xx answer ahead of the final one. An error means that the client is gone.
	Interim(status int, fields *header.Fields) error
}

// Protocol is the version of HTTP that a message was read in.
type Protocol uint8

// The protocols that engines read.
const (
	HTTP11 Protocol = iota
	HTTP10
	HTTP2
)

// String returns the protocol as access logs write it.
func (p Protocol) String() string {
	return [...]string{"HTTP/1.1", "HTTP/1.0", "HTTP/2.0"}[p]
}

// Request is what the client asked for. Host is never among the Fields; hop-by-hop fields are not there either,
// the engine has acted on them.
type Request struct {
	Method   string
	Scheme   string // "http" or "https"
	Host     string // as sent, lower case, with its port; see RFC 9110, section 7.2
	Path     string // canonical, percent-encoded, begins with "/"; "*" for OPTIONS *
	Query    string // raw, without "?"
	Protocol Protocol
	Fields   header.Fields
	Trailers header.Fields // complete once the body has been read to its end
	Body     Body
	Upgrade  string // the protocol that the client wants to change to, "" if none
	// Expects says that the client waits for 100 Continue before it sends content: the first Read of the Body asks for it.
	Expects bool
}

// StatusUnanswered, as nginx has it, is the status of an exchange that a plugin or a route wants to end without an answer: the engine closes the
// client's connection, over HTTP/2 it resets the stream. Where an upstream answers so it is a status like any other.
const StatusUnanswered = 444

// Response is the answer, from the upstream or the gateway itself. Status 0 means: none yet.
// Framing and hop-by-hop fields are not among the Fields; the engine writes its own.
type Response struct {
	Status   int
	Fields   header.Fields
	Trailers header.Fields // complete once the body has been read to its end
	Body     Body
	// Tunnel is the upstream's connection after a 101: the engine writes the head and what Body holds, then
	// copies bytes both ways, and closes it.
	Tunnel net.Conn
}

// Reset makes the response empty again and lets go of what it held.
func (r *Response) Reset() {
	r.Status = 0
	r.Fields.Reset()
	r.Trailers.Reset()
	r.Body.Reset()
	if r.Tunnel != nil {
		_ = r.Tunnel.Close()
		r.Tunnel = nil
	}
}

// Param is a path parameter, percent-encoded as in the path.
type Param struct {
	Name, Value string
}

// By says who made an answer.
type By uint8

// Who makes answers.
const (
	ByGateway  By = iota // the gateway itself: what it refuses, and what went wrong
	ByUpstream           // the upstream's own
	ByRoute              // the route's static answer or redirect
	ByFilter             // a native filter
	ByPlugin             // a plugin
)

// String returns the one who answered as logs show it.
func (b By) String() string {
	return [...]string{"gateway", "upstream", "route", "filter", "plugin"}[b]
}

// Took is how long a filter has had an exchange, in both directions together.
type Took struct {
	Name  string
	Place int // in the chain
	Time  time.Duration
}

// Asked is the request target as the client meant it, for the log: a rewrite changes only the Request's. An engine that refuses a head sets
// it to what the client sent, as far as that could be read.
type Asked struct {
	Path, Query string
}

// Times are the moments of an Exchange; zero where a phase was not reached.
type Times struct {
	Start    time.Time // the head's first byte was at hand
	Chain    time.Time // the chain had decided
	Sent     time.Time // the request's head had gone to the upstream
	Answered time.Time // the response's head was at hand
	End      time.Time
}

// Now is the time by the clock as it stood at Start. It costs half of what time.Now does, which asks two clocks; before Start is set, it
// is time.Now.
func (t *Times) Now() time.Time {
	if t.Start.IsZero() {
		return time.Now()
	}
	return t.Start.Add(time.Since(t.Start))
}

// Exchange is one request and its answer. It belongs to one goroutine; the one exception is the copier of a request
// body, which touches nothing but Req.Body and Req.Trailers. Engines take it from a pool: nothing of it may
// be kept after End, except strings.
type Exchange struct {
	Req    Request
	Resp   Response
	Client Client

	ID         string         // request id, taken from the request or made
	Addr       netip.Addr     // the client's address, trusted proxies left out: the one for limits, rules and logs
	Peer       netip.AddrPort // the other end of the connection
	TLS        *tls.ConnectionState
	Asked      Asked // set before the chain runs
	Params     []Param
	Fault      *fault.Fault // why the exchange went wrong, for the log; set before Serve: the head was refused
	Route      string       // names for log and metrics; empty where not reached
	Upstream   string
	Endpoint   string
	Tries      int
	Answer     int           // status of the upstream's answer, whatever became of it; 0: there was none
	Connect    time.Duration // how long new connections to the upstream took, of all tries; 0: there were none
	Generation uint64        // of the Snapshot that serves it
	Number     uint64        // tells open exchanges apart; never 0
	Shard      uint32        // which of several counters to use; spreads goroutines over cache lines
	Times      Times
	Received   int64 // bytes of request content read
	Sent       int64 // bytes of response content written
	Begun      bool  // a 1xx answer has gone ahead of the final one
	KeepAlive  bool  // the engine means to read another request from this connection
	// ReceivedHead and SentHead are the bytes of the two heads over HTTP/1; 0: not known.
	ReceivedHead, SentHead int64
	// ClientSubject is the subject of the client's verified certificate, "" without one. The engine sets it.
	ClientSubject string
	// By is who made the answer, and Filter the filter that did, or that failed. The chain and the Handler set them.
	By     By
	Filter string
	// Limit is the limit that said no, by name; "" where none did. Who asked the limit sets it.
	Limit string
	// Code is why the exchange ended as it did where no Fault says it; see Ended.
	Code fault.Code
	// Unlogged keeps the exchange out of the access log. The Handler sets it.
	Unlogged bool
	// Took is how long each filter took, in the chain's order; empty where nobody asks for it.
	Took []Took
	// GRPCStatus is how a gRPC call ended, in digits; "" for other exchanges, and for a call without an end. The Handler sets it.
	GRPCStatus string
	// Idle is how long a tunnel, or an answer whose head is there, may bring no byte; 0: what the engine allows. The Handler sets it.
	Idle time.Duration
	// Duplex says that request and answer are a conversation, in which a client over HTTP/2, too, may be silent for as long as Idle. The
	// Handler sets it before it reads the request's content.
	Duplex bool

	// Pinned is what the Handler keeps between Serve and End.
	Pinned any

	// HTTPSPort is the port that the client is to be sent to with the same request over TLS; 0: it is served. The engine sets it.
	HTTPSPort int

	Text Text

	// Trace is the exchange's part in a distributed trace. The Handler sets it before the chain runs.
	Trace trace.Trace
	// Trusted says that the other end of the connection is a trusted proxy. The engine sets it.
	Trusted bool

	// Ran has a bit for each of the chain's filters that has let the request pass: those, in reverse, see the response.
	Ran uint64
	// Answered is the bit of the one that responded.
	Answered uint64

	lent   *lent // what the pool knows of it
	attrs  []Attr
	states [][]byte
	slots  []any
}

// Attr is a named value that filters share within one Exchange.
type Attr struct {
	Name, Value string
}

// Attr returns the value of an attribute and whether it is set.
func (x *Exchange) Attr(name string) (value string, ok bool) {
	for i := range x.attrs {
		if x.attrs[i].Name == name {
			return x.attrs[i].Value, true
		}
	}
	return "", false
}

// SetAttr sets an attribute.
func (x *Exchange) SetAttr(name, value string) {
	for i := range x.attrs {
		if x.attrs[i].Name == name {
			x.attrs[i].Value = value
			return
		}
	}
	x.attrs = append(x.attrs, Attr{name, value})
}

// Attrs returns the attributes in the order they were first set; the slice is the Exchange's own.
func (x *Exchange) Attrs() []Attr { return x.attrs }

// RestoreAttrs puts back attributes as Attrs returned them earlier, from a copy of the caller's.
func (x *Exchange) RestoreAttrs(saved []Attr) {
	clear(x.attrs)
	x.attrs = append(x.attrs[:0], saved...)
}

// State returns the memory of the chain's filter at that place, empty at first; what is stored through the
// pointer lasts until the Exchange ends, its capacity longer.
func (x *Exchange) State(filter int) *[]byte {
	for len(x.states) <= filter {
		if len(x.states) < cap(x.states) {
			x.states = x.states[:len(x.states)+1]
			continue
		}
		x.states = append(x.states, nil)
	}
	return &x.states[filter]
}

// Slot returns where the chain's filter at that place may keep a thing until the Exchange ends; if it is an io.Closer, it is closed then.
func (x *Exchange) Slot(filter int) *any {
	for len(x.slots) <= filter {
		x.slots = append(x.slots, nil)
	}
	return &x.slots[filter]
}

// CloseSlots closes what filters keep in their slots, before the Exchange ends if no filter will see it again.
func (x *Exchange) CloseSlots() {
	for i, kept := range x.slots {
		if closer, ok := kept.(io.Closer); ok {
			_ = closer.Close() // nobody is left who could act on an error
		}
		x.slots[i] = nil
	}
}

// Param returns a path parameter as it stands in the path, and whether the route has it.
func (x *Exchange) Param(name string) (value string, ok bool) {
	for i := range x.Params {
		if x.Params[i].Name == name {
			return x.Params[i].Value, true
		}
	}
	return "", false
}

// Fail notes the first fault of the exchange; later ones follow from it and are not of interest.
func (x *Exchange) Fail(f *fault.Fault) {
	if x.Fault == nil {
		x.Fault = f
	}
}

// Unanswered reports whether the response is that there is none; see StatusUnanswered.
func (x *Exchange) Unanswered() bool {
	return x.Resp.Status == StatusUnanswered && (x.By == ByPlugin || x.By == ByRoute)
}

// Ended returns why the exchange ended as it did; NoCode: as it should.
func (x *Exchange) Ended() fault.Code {
	if x.Code != fault.NoCode {
		return x.Code
	}
	return fault.CodeOf(x.Fault)
}
