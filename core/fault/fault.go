// Package fault is the error that knows its kind, whose side went wrong, and whether a retry may help.
package fault

import (
	"errors"
	"fmt"
	"time"
)

// Kind says what went wrong; it decides the status that a client sees.
type Kind uint8

// The kinds of faults, by the status they are answered with.
const (
	Internal            Kind = iota // 500: our own mistake
	BadRequest                      // 400: malformed or refused request
	NotFound                        // 404: no route
	MethodNotAllowed                // 405: a route, but not for this method
	RequestTimeout                  // 408: the client was too slow
	BodyTooLarge                    // 413
	URITooLong                      // 414
	HeadTooLarge                    // 431
	ClientGone                      // 499: logged only, nobody is left to answer
	BadGateway                      // 502: the upstream's answer could not be had or understood
	Unavailable                     // 503: nobody there to do it: no endpoint, plugin failed, overload
	GatewayTimeout                  // 504: the upstream was too slow
	NotImplemented                  // 501: a transfer coding or protocol we do not speak
	VersionNotSupported             // 505
	Misdirected                     // 421: the connection's certificate does not serve the host that is asked for
	UnsupportedMedia                // 415: content of a kind that nobody here takes

	Kinds = iota // how many there are
)

type kindText struct {
	name   string
	status int
	title  string
}

var kindTexts = [...]kindText{
	Internal:            {"internal", 500, "Internal Server Error"},
	BadRequest:          {"bad_request", 400, "Bad Request"},
	NotFound:            {"not_found", 404, "Not Found"},
	MethodNotAllowed:    {"method_not_allowed", 405, "Method Not Allowed"},
	RequestTimeout:      {"request_timeout", 408, "Request Timeout"},
	BodyTooLarge:        {"body_too_large", 413, "Content Too Large"},
	URITooLong:          {"uri_too_long", 414, "URI Too Long"},
	HeadTooLarge:        {"head_too_large", 431, "Request Header Fields Too Large"},
	ClientGone:          {"client_gone", 499, "Client Closed Request"},
	BadGateway:          {"bad_gateway", 502, "Bad Gateway"},
	Unavailable:         {"unavailable", 503, "Service Unavailable"},
	GatewayTimeout:      {"gateway_timeout", 504, "Gateway Timeout"},
	NotImplemented:      {"not_implemented", 501, "Not Implemented"},
	VersionNotSupported: {"version_not_supported", 505, "HTTP Version Not Supported"},
	Misdirected:         {"misdirected", 421, "Misdirected Request"},
	UnsupportedMedia:    {"unsupported_media", 415, "Unsupported Media Type"},
}

// String returns the kind's name as logs show it.
func (k Kind) String() string { return kindTexts[k].name }

// Status returns the HTTP status that answers a fault of this kind.
func (k Kind) Status() int { return kindTexts[k].status }

// Title returns the short text of a problem+json answer (RFC 9457), the same for every fault of the kind.
func (k Kind) Title() string { return kindTexts[k].title }

// Side says who is to blame.
type Side uint8

// The sides of an exchange.
const (
	Gateway Side = iota
	Client
	Upstream
	Plugin

	Sides = iota // how many there are
)

// String returns the side's name as logs show it.
func (s Side) String() string {
	return [...]string{"gateway", "client", "upstream", "plugin"}[s]
}

// Fault is an error of an exchange. Reason is a short fixed phrase that a client may see; Err is
// the cause, for the log only.
type Fault struct {
	Kind   Kind
	Side   Side
	Retry  bool   // another endpoint may succeed, and nothing of the request was acted on
	Reason string // safe to show: never holds internals; may be empty
	Code   Code   // where Kind and Side do not tell it; see CodeOf
	Allow  string // with MethodNotAllowed: the methods that there are, for the Allow field
	Err    error  // may be nil

	RetryAfter time.Duration // when it may be worth coming again, for the Retry-After field; 0: nobody knows
}

// New returns a Fault with a reason that a client may see.
func New(kind Kind, side Side, reason string) *Fault {
	return &Fault{Kind: kind, Side: side, Reason: reason}
}

// Wrap returns a Fault around a cause that only the log may show.
func Wrap(kind Kind, side Side, err error) *Fault {
	return &Fault{Kind: kind, Side: side, Err: err}
}

// Error describes the fault for the log.
func (f *Fault) Error() string {
	switch {
	case f.Err == nil:
		return fmt.Sprintf("%s (%s): %s", f.Kind, f.Side, f.Reason)
	case f.Reason == "":
		return fmt.Sprintf("%s (%s): %v", f.Kind, f.Side, f.Err)
	}
	return fmt.Sprintf("%s (%s): %s: %v", f.Kind, f.Side, f.Reason, f.Err)
}

// Unwrap returns the cause.
func (f *Fault) Unwrap() error { return f.Err }

// From returns the Fault inside err, or wraps err as an internal one. It returns nil for nil.
func From(err error) *Fault {
	if err == nil {
		return nil
	}
	var f *Fault
	if errors.As(err, &f) {
		return f
	}
	return Wrap(Internal, Gateway, err)
}
