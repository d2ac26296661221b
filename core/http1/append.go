package http1

import (
	"strconv"

	"github.com/sallyport/sallyport/core/header"
)

// AppendRequestHead appends a whole request head. Fields that belong to a connection or to framing are left out of
// fields, as are those that could not stand on the wire; the framing's own lines and, for an upgrade, those that ask for it
// are added. It does not allocate when dst has room.
func AppendRequestHead(dst []byte, method, path, query, host string, fields *header.Fields, framing Framing, upgrade string) []byte {
	dst = appendClass(dst, method, isToken)
	dst = append(dst, ' ')
	dst = appendTarget(dst, path)
	if query != "" {
		dst = append(dst, '?')
		dst = appendTarget(dst, query)
	}
	dst = append(dst, " HTTP/1.1\r\nHost: "...)
	dst = appendHost(dst, host)
	dst = append(dst, "\r\n"...)
	for _, field := range fields.All() {
		switch roleOf(field.Name) {
		case endToEnd, roleDate:
			dst = AppendField(dst, field.Name, field.Value)
		}
	}
	switch {
	case framing.Chunked:
		dst = append(dst, "Transfer-Encoding: chunked\r\n"...)
	case framing.Length > 0, framing.Length == 0 && expectsContent(method):
		dst = appendLength(dst, framing.Length)
	}
	dst = appendUpgrade(dst, upgrade)
	return append(dst, "\r\n"...)
}

// expectsContent reports whether servers may ask for a Content-Length even of an empty request (RFC 9110, section 8.6).
func expectsContent(method string) bool {
	switch method {
	case "POST", "PUT", "PATCH":
		return true
	}
	return false
}

// AppendResponseHead appends a whole response head, in the same way as AppendRequestHead. date is added when fields have none; it
// may be empty. A status that is no three digits is written as 500. A Connection field tells a client what it does not know: close, or to an HTTP/1.0 one keep-alive.
// 1xx, 204 and 304 get no framing lines.
func AppendResponseHead(dst []byte, status int, fields *header.Fields, framing Framing, keepAlive, http10 bool, upgrade, date string) []byte {
	if status < 100 || status > 999 {
		status = 500
	}
	dst = appendStatusLine(dst, status)
	for _, field := range fields.All() {
		switch roleOf(field.Name) {
		case roleDate:
			date = ""
			fallthrough
		case endToEnd:
			dst = AppendField(dst, field.Name, field.Value)
		}
	}
	if date != "" {
		dst = AppendField(dst, "Date", date)
	}
	switch {
	case status < 200 || status == 204 || status == 304 || framing.UntilClose:
	case framing.Chunked:
		dst = append(dst, "Transfer-Encoding: chunked\r\n"...)
	case framing.Length >= 0:
		dst = appendLength(dst, framing.Length)
	}
	switch {
	case upgrade != "":
		dst = appendUpgrade(dst, upgrade)
	case !keepAlive:
		dst = append(dst, "Connection: close\r\n"...)
	case http10:
		dst = append(dst, "Connection: keep-alive\r\n"...)
	}
	return append(dst, "\r\n"...)
}

// AppendField appends a field line, or nothing when the name is no token or the value holds a control byte.
func AppendField(dst []byte, name, value string) []byte {
	if !validName(name) || !validValue(value) {
		return dst
	}
	dst = append(dst, name...)
	dst = append(dst, ": "...)
	dst = append(dst, value...)
	return append(dst, "\r\n"...)
}

func appendLength(dst []byte, n int64) []byte {
	dst = append(dst, "Content-Length: "...)
	dst = strconv.AppendInt(dst, n, 10)
	return append(dst, "\r\n"...)
}

func appendUpgrade(dst []byte, upgrade string) []byte {
	if upgrade == "" || !validValue(upgrade) {
		return dst
	}
	dst = append(dst, "Connection: Upgrade\r\n"...)
	return AppendField(dst, "Upgrade", upgrade)
}

// appendClass appends the bytes of s that are of the class.
func appendClass(dst []byte, s string, class octet) []byte {
	if all(s, class) {
		return append(dst, s...)
	}
	for i := range len(s) {
		if octets[s[i]]&class != 0 {
			dst = append(dst, s[i])
		}
	}
	return dst
}

// appendHost appends the bytes of s that are no control, space or non-ASCII bytes.
func appendHost(dst []byte, s string) []byte { return appendClass(dst, s, isTarget) }

// appendTarget appends s with all that cannot stand in a request target percent-encoded.
func appendTarget(dst []byte, s string) []byte {
	if all(s, isTarget) {
		return append(dst, s...)
	}
	for i := range len(s) {
		if c := s[i]; octets[c]&isTarget != 0 {
			dst = append(dst, c)
		} else {
			dst = append(dst, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return dst
}
