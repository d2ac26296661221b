package store

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strconv"
	"sync/atomic"
)

// What replies may be: far more than what is asked for here, or said about a cluster.
const (
	maxReplyLine  = 64 << 10
	maxReplyBytes = 64 << 20 // of one string
	maxReplyItems = 1 << 16  // of one array or map
	maxReplyDepth = 8
)

// guarded is a connection that ends where the server does not keep to the protocol (RESP3). rueidis takes the process down when a reply
// comes that nobody has asked for, and makes room for as many items as a reply says it has.
type guarded struct {
	net.Conn
	commands atomic.Int64 // written so far
	replies  int64        // read so far; of the reader alone
	read     framing
	written  framing // of the writer alone
}

// dial connects as rueidis does by itself, and guards the connection.
func dial(ctx context.Context, address string, d *net.Dialer, secure *tls.Config) (net.Conn, error) {
	var conn net.Conn
	var err error
	if secure != nil {
		conn, err = (&tls.Dialer{NetDialer: d, Config: secure}).DialContext(ctx, "tcp", address)
	} else {
		conn, err = d.DialContext(ctx, "tcp", address)
	}
	if err != nil {
		return nil, err
	}
	return &guarded{Conn: conn}, nil
}

// Write is part of net.Conn.
func (g *guarded) Write(p []byte) (int, error) {
	n, err := g.written.scan(p)
	if err != nil {
		return 0, err
	}
	g.commands.Add(n) // before the reply can be there
	return g.Conn.Write(p)
}

// Read is part of net.Conn. What it returns has been looked at.
func (g *guarded) Read(p []byte) (int, error) {
	n, err := g.Conn.Read(p)
	replies, wrong := g.read.scan(p[:n])
	if wrong != nil {
		return 0, wrong
	}
	if g.replies += replies; g.replies > g.commands.Load() {
		return 0, errors.New("the store sends what nobody has asked for")
	}
	return n, err
}

// framing finds the ends of messages in a stream of them.
type framing struct {
	line []byte // the beginning of a line that has not ended
	rest int    // bytes of a string that are to come, its end included
	open []int  // items to come of each array that has not ended
}

var errFraming = errors.New("the store sends what is no reply")

// scan goes on with p, and returns how many messages end in it.
func (f *framing) scan(p []byte) (ends int64, err error) {
	for len(p) > 0 {
		if f.rest > 0 {
			n := min(f.rest, len(p))
			p = p[n:]
			if f.rest -= n; f.rest == 0 {
				ends += f.end()
			}
			continue
		}
		line, after, err := f.cut(p)
		if err != nil || line == nil {
			return ends, err
		}
		p = after
		ended, err := f.begin(line)
		if err != nil {
			return ends, err
		}
		if ended {
			ends += f.end()
		}
	}
	return ends, nil
}

// cut returns the line that ends first in p, without its last byte, and what comes after it; nil if none does.
func (f *framing) cut(p []byte) (line, after []byte, err error) {
	line, after, whole := bytes.Cut(p, []byte{'\n'})
	if len(f.line)+len(line) > maxReplyLine {
		return nil, nil, errFraming
	}
	if whole && len(f.line) == 0 {
		return line, after, nil
	}
	f.line = append(f.line, line...)
	if !whole {
		return nil, nil, nil
	}
	line, f.line = f.line, f.line[:0]
	return line, after, nil
}

// begin reads the line that a value begins with, and reports whether the value ends with it, too. Pushes are refused: nothing that would
// bring some is ever asked for.
func (f *framing) begin(line []byte) (ended bool, err error) {
	if len(line) < 2 || line[len(line)-1] != '\r' {
		return false, errFraming
	}
	kind, text := line[0], line[1:len(line)-1]
	switch kind {
	case '+', '-', ':', '_', ',', '#', '(':
		return true, nil
	case '$', '=', '!':
		n, err := length(text, maxReplyBytes)
		if err != nil || n < 0 {
			return true, err
		}
		f.rest = n + len("\r\n")
		return false, nil
	case '*', '~', '%':
		n, err := length(text, maxReplyItems)
		if err != nil || n <= 0 {
			return true, err
		}
		if kind == '%' {
			n *= 2
		}
		f.open = append(f.open, n)
		if len(f.open) > maxReplyDepth {
			return false, errFraming
		}
		return false, nil
	}
	return false, errFraming
}

// length reads a length up to most; -1 is of what is not there.
func length(text []byte, most int) (int, error) {
	n, err := strconv.Atoi(string(text))
	if err != nil || n < -1 || n > most {
		return 0, errFraming
	}
	return n, nil
}

// end ends a value, and what ends with it, and returns how many messages that are.
func (f *framing) end() int64 {
	for last := len(f.open) - 1; last >= 0; last-- {
		if f.open[last]--; f.open[last] > 0 {
			return 0
		}
		f.open = f.open[:last]
	}
	return 1
}
