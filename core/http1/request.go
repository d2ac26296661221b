package http1

import (
	"strings"

	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/header"
)

// RequestHead is what a request's head says besides its end-to-end fields.
type RequestHead struct {
	Method  string
	Target  string // as sent
	Host    string // lower case, with its port; "" only in HTTP/1.0
	Path    string // canonical; "*" for OPTIONS *
	Query   string // raw, without "?"
	HTTP10  bool
	Framing // of the content
	// Expect100 says that the client waits for 100 Continue before it sends content.
	Expect100 bool
	// Upgrade is the one protocol that the client wants to change to; never h2c, HTTP or TLS, and "" when there is content.
	Upgrade   string
	KeepAlive bool // the client lets the connection go on
	Trailers  bool // TE: trailers
}

const (
	badRequestLine refusal = "invalid request line"
	badTarget      refusal = "invalid request target"
	badPath        refusal = "path does not begin with a slash"
	aboveRoot      refusal = "path leads above the root"
	nulPath        refusal = "path holds %00"
	dotParameters  refusal = "path holds a dot segment with parameters"
	badEscape      refusal = "path holds a broken escape"
	rawPath        refusal = "path holds a character that must be escaped"
	badHost        refusal = "invalid Host"
	noHost         refusal = "no Host"
	otherHost      refusal = "request target and Host differ"
	noConnect      refusal = "CONNECT is not served"
	uriTooLong     refusal = "request target too long"
	badVersion     refusal = "HTTP version not supported"
)

// ParseRequest reads a request's head as FindHead delimits it: strictly, since what two readers may understand
// differently is a way to smuggle (RFC 9112, section 11). Its strings point into head. End-to-end fields are added to fields,
// those of the connection are acted on and left out. With a fault, what was read before it is returned as well.
func ParseRequest(head string, limits Limits, fields *header.Fields) (RequestHead, *fault.Fault) {
	var h RequestHead
	var a acted
	why := h.parse(head, limits, fields, &a)
	if why == accepted {
		return h, nil
	}
	return h, refuse(why)
}

func refuse(why refusal) *fault.Fault {
	kind := fault.BadRequest
	switch why {
	case uriTooLong:
		kind = fault.URITooLong
	case headTooLarge, tooManyFields:
		kind = fault.HeadTooLarge
	case badVersion:
		kind = fault.VersionNotSupported
	}
	return fault.New(kind, fault.Client, string(why))
}

func (h *RequestHead) parse(head string, limits Limits, fields *header.Fields, a *acted) refusal {
	// One empty line before the request line is tolerated (RFC 9112, section 2.2).
	if len(head) >= 2 && head[0] == '\r' && head[1] == '\n' {
		head = head[2:]
	}
	at, why := h.parseLine(head, limits.URI)
	if why != accepted {
		return why
	}
	if limits.Head > 0 && len(head) > limits.Head {
		return headTooLarge
	}
	if why = a.parseFields(head, at, limits.Fields, fields); why != accepted {
		return why
	}
	if why = a.checkFraming(h.HTTP10); why != accepted {
		return why
	}
	h.Framing = Framing{Length: a.length}
	if a.chunked {
		h.Framing = Framing{Length: -1, Chunked: true}
	}
	h.KeepAlive = a.persists(h.HTTP10)
	h.Trailers = a.trailers
	if h.Length == 0 && !h.HTTP10 {
		h.Upgrade = a.upgrade
	}
	h.Expect100 = a.expect100 && h.Length != 0 && !h.HTTP10
	return h.parseTarget(a)
}

// parseLine reads the request line; the index it returns is just past it.
func (h *RequestHead) parseLine(head string, maxURI int) (int, refusal) {
	space := skip(head, 0, isToken)
	if space == 0 || space == len(head) || head[space] != ' ' {
		return 0, badRequestLine
	}
	h.Method = head[:space]
	start := space + 1
	end := skip(head, start, isTarget)
	h.Target = head[start:end]
	if maxURI > 0 && len(h.Target) > maxURI {
		return 0, uriTooLong
	}
	if end == start || end == len(head) || head[end] != ' ' {
		return 0, badRequestLine
	}
	const version = "HTTP/1.1\r\n"
	rest := head[end+1:]
	if len(rest) < len(version) {
		return 0, badRequestLine
	}
	switch rest[:len(version)] {
	case version:
	case "HTTP/1.0\r\n":
		h.HTTP10 = true
	default:
		return 0, whyNoVersion(rest)
	}
	return end + 1 + len(version), accepted
}

func whyNoVersion(rest string) refusal {
	if strings.HasPrefix(rest, "HTTP/") && isDigit(rest[5]) && rest[6] == '.' && isDigit(rest[7]) && rest[8:10] == "\r\n" {
		return badVersion
	}
	return badRequestLine
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
