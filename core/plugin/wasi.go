package plugin

import (
	"encoding/binary"
	"fmt"
	"log/slog"
	"slices"
)

// The error numbers of WASI preview 1 that are used.
const (
	errnoSuccess = 0
	errnoBadFile = 8
	errnoInvalid = 28
	errnoNoSys   = 52
	errnoSeek    = 70
)

// Sizes of WASI's structures, in bytes.
const (
	sizeFdstat       = 24
	sizeFilestat     = 64
	sizeSubscription = 48
	sizeEvent        = 32
	charDevice       = 2
	maxVectors       = 1024 // of one read or write
	maxPolls         = 64
)

func wasiSuccess(*call, args) int64 { return errnoSuccess }
func wasiNoSys(*call, args) int64   { return errnoNoSys }
func wasiBadFile(*call, args) int64 { return errnoBadFile }

// at returns size bytes of memory at the pointer in argument i.
func (a args) at(i int, size uint32) []byte { return a.view(a.u32(i), size) }

// wasiNone writes that there are no arguments, or no environment.
func wasiNone(_ *call, a args) int64 {
	clear(a.at(0, 4))
	clear(a.at(1, 4))
	return errnoSuccess
}

// wasiClockRes tells the resolution of the realtime and the monotonic clock.
func wasiClockRes(_ *call, a args) int64 {
	if a.u32(0) > 1 {
		return errnoInvalid
	}
	binary.LittleEndian.PutUint64(a.at(1, 8), 1)
	return errnoSuccess
}

// wasiClockTime tells the time of clock 0, realtime, or 1, monotonic.
func wasiClockTime(c *call, a args) int64 {
	var now int64
	switch a.u32(0) {
	case 0:
		now = c.pool.plugin.host.clock().UnixNano()
	case 1:
		now = c.tank.host.now()
	default:
		return errnoInvalid
	}
	binary.LittleEndian.PutUint64(a.at(2, 8), uint64(now))
	return errnoSuccess
}

// isStream reports whether a descriptor is one of the three that there are.
func isStream(fd uint32) bool { return fd <= 2 }

func wasiClose(_ *call, a args) int64 {
	if !isStream(a.u32(0)) {
		return errnoBadFile
	}
	return errnoSuccess
}

func wasiFdstat(_ *call, a args) int64 {
	if !isStream(a.u32(0)) {
		return errnoBadFile
	}
	stat := a.at(1, sizeFdstat)
	clear(stat)
	stat[0] = charDevice
	const mayRead, mayWrite = 1 << 1, 1 << 6
	rights := uint64(mayWrite)
	if a.u32(0) == 0 {
		rights = mayRead
	}
	binary.LittleEndian.PutUint64(stat[8:], rights)
	return errnoSuccess
}

func wasiSetFlags(_ *call, a args) int64 {
	if !isStream(a.u32(0)) {
		return errnoBadFile
	}
	return errnoNoSys
}

func wasiFilestat(_ *call, a args) int64 {
	if !isStream(a.u32(0)) {
		return errnoBadFile
	}
	stat := a.at(1, sizeFilestat)
	clear(stat)
	stat[16] = charDevice
	return errnoSuccess
}

func wasiSeek(_ *call, a args) int64 {
	if !isStream(a.u32(0)) {
		return errnoBadFile
	}
	return errnoSeek
}

// wasiRead finds standard input at its end.
func wasiRead(_ *call, a args) int64 {
	if a.u32(0) != 0 {
		return errnoBadFile
	}
	clear(a.at(3, 4))
	return errnoSuccess
}

// wasiWrite makes log lines of what is written to standard output and standard error.
func wasiWrite(c *call, a args) int64 {
	fd, count := a.u32(0), a.u32(2)
	switch {
	case fd != 1 && fd != 2:
		return errnoBadFile
	case count > maxVectors:
		return errnoInvalid
	}
	vectors := a.at(1, count*8)
	total := uint32(0)
	for ; len(vectors) > 0; vectors = vectors[8:] {
		piece := a.view(binary.LittleEndian.Uint32(vectors), binary.LittleEndian.Uint32(vectors[4:]))
		total += uint32(len(piece))
		c.print(fd, piece)
	}
	binary.LittleEndian.PutUint32(a.at(3, 4), total)
	return errnoSuccess
}

// print takes a piece of what the guest writes to a stream. It charges as it goes: a piece may be all of the memory, full of short lines, and
// vectors may name it again and again.
func (c *call) print(fd uint32, piece []byte) {
	const step = 4096
	for part := range slices.Chunk(piece, step) {
		c.out[fd-1].write(part, func(line string) { c.say(streamLevel(fd), line) })
		cost := c.cost
		c.cost = 0
		c.tank.charge(int64(len(part)) + cost)
	}
}

// flush logs the lines that the guest has not ended. It is called after each hook, so that they keep their request id.
func (c *call) flush() {
	for i := range c.out {
		if len(c.out[i].part) > 0 {
			c.out[i].flush(func(line string) { c.say(streamLevel(uint32(i+1)), line) })
		}
	}
	c.cost = 0 // nobody is left to be charged
}

func streamLevel(fd uint32) slog.Level {
	if fd == 2 {
		return slog.LevelWarn
	}
	return slog.LevelInfo
}

// wasiPoll answers every subscription at once: nobody sleeps in a gateway.
func wasiPoll(_ *call, a args) int64 {
	count := a.u32(2)
	if count == 0 || count > maxPolls {
		return errnoInvalid
	}
	in, out := a.at(0, count*sizeSubscription), a.at(1, count*sizeEvent)
	var events [maxPolls * sizeEvent]byte // the guest's two arrays may overlap
	for i := range int(count) {
		from, to := in[i*sizeSubscription:], events[i*sizeEvent:]
		copy(to[:8], from[:8]) // userdata
		to[10] = from[8]       // the kind of event
	}
	copy(out, events[:])
	binary.LittleEndian.PutUint32(a.at(3, 4), count)
	return errnoSuccess
}

// wasiExit stops the guest, whatever it means to say by its code.
func wasiExit(_ *call, a args) int64 {
	panic(&interrupt{Exited, fmt.Sprintf("proc_exit(%d)", a.u32(0))})
}

func wasiRandom(c *call, a args) int64 {
	buf := a.region(0)
	c.tank.charge(costRandom + costRandomByte*int64(len(buf)))
	c.pool.plugin.host.random(buf)
	return errnoSuccess
}
