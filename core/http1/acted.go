package http1

import (
	"strings"

	"github.com/sallyport/sallyport/core/header"
)

// What a head may have of Connection fields, and of options in all of them: each is looked for among all fields.
const (
	maxConnections = 4
	maxOptions     = 32
)

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
	options := 0
	for _, list := range a.connection[:a.connections] {
		for list != "" {
			var option string
			option, list, _ = strings.Cut(list, ",")
			option = trim(option)
			if option == "" {
				continue
			}
			if options++; options > maxOptions {
				return manyConnections
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
