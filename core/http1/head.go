// Package http1 is HTTP/1.1 on bytes: it parses and appends heads, chunked bodies and paths, and decides framing.
// It knows no connection and starts no goroutine.
package http1

import "bytes"

// Limits bound what is accepted of a head. Sizes are bytes; 0 is no bound.
type Limits struct {
	Head   int // the first line and all fields
	Fields int // how many
	URI    int // the request target
}

// Framing is how the content of a message is delimited (RFC 9112, section 6).
type Framing struct {
	Length     int64 // in bytes; 0: no content, -1: unknown
	Chunked    bool  // the chunked coding marks the end
	UntilClose bool  // the connection's end marks the end; when appending a head: no framing line at all
}

var headEnd = []byte("\r\n\r\n")

// FindHead returns the index just past the empty line that ends the head in buf, or -1 when that is still to come.
// The first from bytes were looked at by an earlier call. A line that ends in a bare LF can never become a valid head:
// FindHead then returns the index just past it, so that the parser is asked and refuses.
func FindHead(buf []byte, from int) int {
	from = max(from-len(headEnd)+1, 0)
	if i := bytes.Index(buf[from:], headEnd); i >= 0 {
		return from + i + len(headEnd)
	}
	for i := from; ; i++ {
		n := bytes.IndexByte(buf[i:], '\n')
		if n < 0 {
			return -1
		}
		i += n
		if i == 0 || buf[i-1] != '\r' {
			return i + 1
		}
	}
}
