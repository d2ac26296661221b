package http1

import (
	"strings"

	"github.com/sallyport/sallyport/core/header"
)

// role is what a field's name means to a proxy.
type role uint8

const (
	endToEnd role = iota
	roleHost
	roleLength
	roleTransfer
	roleConnection
	roleTE
	roleUpgrade
	roleExpect
	roleDate // end-to-end
	roleHop  // of this connection only, and without an effect
)

// roleOf returns what the field of that name means. It is asked for each field of each head, hence the switch by length.
func roleOf(name string) role {
	switch len(name) {
	case 2:
		return roleIf(name, "te", roleTE)
	case 4:
		if lower(name[0]) == 'd' {
			return roleIf(name, "date", roleDate)
		}
		return roleIf(name, "host", roleHost)
	case 5:
		return roleIf(name, "proxy", roleHop) // no standard field; CGI would turn it into HTTP_PROXY
	case 6:
		return roleIf(name, "expect", roleExpect)
	case 7:
		if lower(name[0]) == 't' {
			return roleIf(name, "trailer", roleHop)
		}
		return roleIf(name, "upgrade", roleUpgrade)
	case 10:
		if lower(name[0]) == 'k' {
			return roleIf(name, "keep-alive", roleHop)
		}
		return roleIf(name, "connection", roleConnection)
	case 14:
		if lower(name[0]) == 'h' {
			return roleIf(name, "http2-settings", roleHop)
		}
		return roleIf(name, "content-length", roleLength)
	case 17:
		return roleIf(name, "transfer-encoding", roleTransfer)
	case 16, 18, 19, 25:
		return roleOfProxy(name)
	}
	return endToEnd
}

// roleOfProxy knows proxy-connection, -authenticate, -authorization and -authentication-info.
func roleOfProxy(name string) role {
	if lower(name[0]) != 'p' || !header.EqualName(name[:6], "proxy-") {
		return endToEnd
	}
	switch rest := name[6:]; {
	case header.EqualName(rest, "connection"), header.EqualName(rest, "authenticate"),
		header.EqualName(rest, "authorization"), header.EqualName(rest, "authentication-info"):
		return roleHop
	}
	return endToEnd
}

func roleIf(name, want string, r role) role {
	if header.EqualName(name, want) {
		return r
	}
	return endToEnd
}

// refusal is why a head or a body is not accepted: a fixed phrase without anything of the message in it.
type refusal string

// Error returns the phrase.
func (r refusal) Error() string { return string(r) }

const (
	accepted         refusal = ""
	tooManyFields    refusal = "too many fields"
	headTooLarge     refusal = "head too large"
	bareLF           refusal = "line ends without CR LF"
	foldedField      refusal = "folded field"
	spaceBeforeColon refusal = "space before a field's colon"
	badName          refusal = "invalid field name"
	badValue         refusal = "invalid byte in a field value"
	unfinishedHead   refusal = "head is not complete"
	badLength        refusal = "invalid Content-Length"
	twoLengths       refusal = "more than one Content-Length"
	badTransfer      refusal = "Transfer-Encoding other than chunked"
	lengthAndChunked refusal = "both Content-Length and Transfer-Encoding"
	oldTransfer      refusal = "Transfer-Encoding in HTTP/1.0"
	twoHosts         refusal = "more than one Host"
	manyConnections  refusal = "too many Connection fields"
	badConnection    refusal = "invalid Connection"
)

// maxConnections is how many Connection fields a head may have.
const maxConnections = 4

// acted is what the fields that a proxy acts on have said.
type acted struct {
	host        string
	upgrade     string
	length      int64
	hasHost     bool
	hasLength   bool
	chunked     bool
	expect100   bool
	trailers    bool // TE: trailers
	close       bool
	keepAlive   bool
	wantUpgrade bool
	connections int
	connection  [maxConnections]string
}

// parseFields reads the field lines of head from at on, up to and including the empty line that ends it. End-to-end
// fields are added to fields.
func (a *acted) parseFields(head string, at, limit int, fields *header.Fields) refusal {
	for count := 1; ; count++ {
		if at < len(head) && head[at] == '\r' {
			break
		}
		name, value, next, why := parseField(head, at)
		if why != accepted {
			return why
		}
		if limit > 0 && count > limit {
			return tooManyFields
		}
		at = next
		switch r := roleOf(name); r {
		case endToEnd, roleDate:
			fields.Add(name, value)
		default:
			if why := a.note(r, value); why != accepted {
				return why
			}
		}
	}
	if head[at:] != "\r\n" {
		return bareLF
	}
	return a.finishConnection(fields)
}

// parseField reads one field line. The index it returns is just past the line.
func parseField(head string, at int) (name, value string, next int, why refusal) {
	colon := skip(head, at, isToken)
	if colon == at || colon == len(head) || head[colon] != ':' {
		return "", "", 0, whyNoName(head, at, colon)
	}
	i := colon + 1
	for i < len(head) && (head[i] == ' ' || head[i] == '\t') {
		i++
	}
	end := findControl(head, i)
	for end < len(head) && head[end] == '\t' {
		end = findControl(head, end+1)
	}
	if end+1 >= len(head) || head[end] != '\r' || head[end+1] != '\n' {
		return "", "", 0, whyNoValue(head, end)
	}
	next = end + 2
	for end > i && (head[end-1] == ' ' || head[end-1] == '\t') {
		end--
	}
	return head[at:colon], head[i:end], next, accepted
}

func whyNoName(head string, at, colon int) refusal {
	switch {
	case colon == len(head):
		return unfinishedHead
	case colon == at && (head[at] == ' ' || head[at] == '\t'):
		return foldedField
	case colon > at && (head[colon] == ' ' || head[colon] == '\t'):
		return spaceBeforeColon
	case head[colon] == '\n':
		return bareLF
	}
	return badName
}

func whyNoValue(head string, end int) refusal {
	switch {
	case end+1 >= len(head):
		return unfinishedHead
	case head[end] == '\n':
		return bareLF
	}
	return badValue
}

// note takes in a field that is acted on.
func (a *acted) note(r role, value string) refusal {
	switch r {
	case roleHost:
		if a.hasHost {
			return twoHosts
		}
		a.hasHost, a.host = true, value
	case roleLength:
		return a.noteLength(value)
	case roleTransfer:
		if a.chunked || !header.EqualName(value, "chunked") {
			return badTransfer
		}
		a.chunked = true
	case roleConnection:
		if a.connections == maxConnections {
			return manyConnections
		}
		a.connection[a.connections] = value
		a.connections++
	case roleTE:
		a.trailers = a.trailers || hasOption(value, "trailers")
	case roleUpgrade:
		a.noteUpgrade(value)
	case roleExpect:
		a.expect100 = a.expect100 || header.EqualName(value, "100-continue")
	}
	return accepted
}

// maxLengthDigits keeps every accepted Content-Length within an int64.
const maxLengthDigits = 18

func (a *acted) noteLength(value string) refusal {
	if a.hasLength {
		return twoLengths
	}
	if value == "" || len(value) > maxLengthDigits {
		return badLength
	}
	n := int64(0)
	for i := range len(value) {
		digit := value[i] - '0'
		if digit > 9 {
			return badLength
		}
		n = n*10 + int64(digit)
	}
	a.hasLength, a.length = true, n
	return accepted
}

// noteUpgrade keeps the protocol when it is one only and not HTTP itself or TLS: changing to those would carry requests
// past the gateway. An Upgrade may always be ignored (RFC 9110, section 7.8).
func (a *acted) noteUpgrade(value string) {
	name, version, _ := strings.Cut(value, "/")
	switch {
	case a.upgrade != "", !validName(name), version != "" && !validName(version):
		a.upgrade = "-" // a second one makes a list: none is taken
	case header.EqualName(name, "h2c"), header.EqualName(name, "h2"), header.EqualName(name, "http"), header.EqualName(name, "tls"):
		a.upgrade = "-"
	default:
		a.upgrade = value
	}
}

// finishConnection acts on the connection options, now that all fields are known: those named are not passed on.
func (a *acted) finishConnection(fields *header.Fields) refusal {
	for _, list := range a.connection[:a.connections] {
		for list != "" {
			var option string
			option, list, _ = strings.Cut(list, ",")
			option = trim(option)
			if option == "" {
				continue
			}
			if why := a.noteOption(option, fields); why != accepted {
				return why
			}
		}
	}
	if !a.wantUpgrade || a.upgrade == "-" {
		a.upgrade = ""
	}
	return accepted
}

func (a *acted) noteOption(option string, fields *header.Fields) refusal {
	switch {
	case header.EqualName(option, "keep-alive"):
		a.keepAlive = true
	case header.EqualName(option, "close"):
		a.close = true
	case header.EqualName(option, "upgrade"):
		a.wantUpgrade = true
	case !validName(option):
		return badConnection
	default:
		switch roleOf(option) {
		case roleHost, roleLength, roleTransfer:
			return badConnection
		case endToEnd, roleDate:
			fields.Remove(option)
		}
	}
	return accepted
}

// checkFraming refuses what makes two readers see different ends of a message (RFC 9112, section 6.3).
func (a *acted) checkFraming(http10 bool) refusal {
	switch {
	case a.chunked && a.hasLength:
		return lengthAndChunked
	case a.chunked && http10:
		return oldTransfer
	}
	return accepted
}

// persists reports whether the connection outlives the message (RFC 9112, section 9.3).
func (a *acted) persists(http10 bool) bool {
	return !a.close && (!http10 || a.keepAlive)
}

// hasOption reports whether a comma-separated list holds the option.
func hasOption(list, option string) bool {
	for list != "" {
		var one string
		one, list, _ = strings.Cut(list, ",")
		if header.EqualName(trim(one), option) {
			return true
		}
	}
	return false
}
