package engine

import (
	"errors"
	"time"
)

// frameHead is the size of what each frame begins with (RFC 9113, section 4.1).
const frameHead = 9

// Types and flags of frames (RFC 9113, section 6).
const (
	frameData         = 0x0
	frameHeaders      = 0x1
	frameReset        = 0x3
	frameSettings     = 0x4
	framePing         = 0x6
	frameWindowUpdate = 0x8
	frameContinuation = 0x9

	flagEndStream = 0x1 // of DATA
	flagAck       = 0x1 // of SETTINGS and PING
)

// goAway is the frame that asks a client to open no more streams, and takes all that it has opened until it reads this.
const goAway = "\x00\x00\x08" + "\x07" + "\x00" + "\x00\x00\x00\x00" + "\x7f\xff\xff\xff" + "\x00\x00\x00\x00"

// frames follows a sequence of frames.
type frames struct {
	head [frameHead]byte
	have int // bytes of head that are there
	left int // bytes of the frame still to come
}

// between reports whether one frame has ended and the next not begun.
func (f *frames) between() bool { return f.have == 0 && f.left == 0 }

// follow takes in the next bytes up to where a frame's head is whole, and says whether one is; then head is that one.
func (f *frames) follow(p []byte) (rest []byte, whole bool) {
	n := min(f.left, len(p))
	f.left -= n
	p = p[n:]
	n = copy(f.head[f.have:], p)
	if f.have += n; f.have < frameHead {
		return p[n:], false
	}
	f.have, f.left = 0, f.length()
	return p[n:], true
}

// length returns the size of the payload.
func (f *frames) length() int { return int(f.head[0])<<16 | int(f.head[1])<<8 | int(f.head[2]) }

// flood counts frames that carry nothing of a request. What net/http does not bound is bounded by it: settings, which cost an
// answer each, and empty pieces of heads and content.
type flood struct {
	idle  int
	since time.Time // when the first of them came
}

const (
	maxIdle    = 2000 // within floodTime: more than any client has reason to send
	floodTime  = 10 * time.Second
	idleCredit = 20 // for each frame that carries something
)

var errFlood = errors.New("too many frames that carry nothing")

// note takes in a frame; it reports false when those that carry nothing have become too many.
func (f *flood) note(head *[frameHead]byte, length int) bool {
	switch kind, flags := head[3], head[4]; kind {
	case frameHeaders, frameReset, frameWindowUpdate: // these, net/http bounds or knows to be due
		f.idle = max(f.idle-idleCredit, 0)
		return true
	case frameData:
		if length > 0 || flags&flagEndStream != 0 {
			f.idle = max(f.idle-idleCredit, 0)
			return true
		}
	case frameContinuation:
		if length > 0 {
			return true
		}
	case frameSettings, framePing:
		if flags&flagAck != 0 {
			return true
		}
	}
	if now := time.Now(); f.idle == 0 || now.Sub(f.since) > floodTime {
		f.idle, f.since = 0, now
	}
	f.idle++
	return f.idle <= maxIdle
}
