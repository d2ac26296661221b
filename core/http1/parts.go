package http1

import (
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/header"
)

// Parts are what a request's head says besides its fields, in a protocol that has no text for it (RFC 9113, section 8.3.1).
type Parts struct {
	Method    string
	Authority string // "" where there is none: then a Host field stands for it
	Target    string // path and query
}

// CheckRequest makes of a request that was not read as text what ParseRequest makes of its text, as strictly. Fields that are
// not end-to-end are acted on and removed; those of a connection are refused (RFC 9113, section 8.2.2). The Length is
// what Content-Length says, -1 without one. With a fault, what was checked before it is returned as well.
func CheckRequest(p Parts, limits Limits, fields *header.Fields) (RequestHead, *fault.Fault) {
	h := RequestHead{Method: p.Method, Target: p.Target, Framing: Framing{Length: -1}, KeepAlive: true}
	if why := h.check(p.Authority, limits, fields); why != accepted {
		return h, refuse(why)
	}
	return h, nil
}

func (h *RequestHead) check(authority string, limits Limits, fields *header.Fields) refusal {
	switch {
	case !validName(h.Method):
		return badRequestLine
	case limits.URI > 0 && len(h.Target) > limits.URI:
		return uriTooLong
	case h.Target == "" || !all(h.Target, isTarget):
		return badRequestLine
	}
	var a acted
	if why := a.checkFields(h, authority, limits, fields); why != accepted {
		return why
	}
	fields.Keep(isEndToEnd)
	if a.hasLength {
		h.Length = a.length
	}
	h.Expect100, h.Trailers = a.expect100, a.trailers
	return h.checkTarget(authority, &a)
}

func isEndToEnd(field header.Field) bool { return EndToEnd(field.Name) }

// checkFields counts what the head would be as text, and acts on its fields.
func (a *acted) checkFields(h *RequestHead, authority string, limits Limits, fields *header.Fields) refusal {
	count, size := fields.Len(), len(h.Method)+len(h.Target)+len("  HTTP/1.1\r\n\r\n")
	for _, field := range fields.All() {
		size += len(field.Name) + len(field.Value) + len(": \r\n")
		if why := a.checkField(field.Name, field.Value); why != accepted {
			return why
		}
	}
	if !a.hasHost && authority != "" {
		count++
		size += len(authority) + len("Host: \r\n")
	}
	switch {
	case limits.Head > 0 && size > limits.Head:
		return headTooLarge
	case limits.Fields > 0 && count > limits.Fields:
		return tooManyFields
	}
	return accepted
}

func (a *acted) checkField(name, value string) refusal {
	switch {
	case !validName(name):
		return badName
	case !validValue(value) || trim(value) != value:
		return badValue
	}
	switch r := roleOf(name); r {
	case endToEnd, roleDate:
		return accepted
	case roleConnection, roleTransfer, roleUpgrade:
		return connectionField
	case roleTE:
		if !header.EqualName(value, "trailers") {
			return badTE
		}
		return a.note(r, value)
	default:
		return a.note(r, value)
	}
}

// checkTarget settles host and path. A Host field beside the authority must agree: the one routes, the other goes upstream.
func (h *RequestHead) checkTarget(authority string, a *acted) refusal {
	if h.Method == "CONNECT" {
		return noConnect
	}
	if authority == "" && !a.hasHost {
		return noHost
	}
	if authority == "" {
		authority = a.host
	}
	var ok bool
	if h.Host, ok = canonicalHost(authority); !ok {
		return badHost
	}
	if a.hasHost {
		if other, ok := canonicalHost(a.host); !ok || other != h.Host {
			return otherHost
		}
	}
	switch {
	case h.Target[0] == '/':
		return h.setPath(h.Target)
	case h.Target == "*" && h.Method == "OPTIONS":
		h.Path = "*"
		return accepted
	}
	return badTarget
}
