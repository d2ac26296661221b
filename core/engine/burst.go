package engine

import (
	"math"
	"net"
	"syscall"
	"time"
)

// burstPages is how many full pages in a row are taken for the beginning of a burst that is worth a pipe.
const burstPages = 2

// tunnelRaw is rawConn for connections that may be an upstream's with something around it.
func tunnelRaw(nc net.Conn) syscall.RawConn {
	if raw := rawConn(nc); raw != nil {
		return raw
	}
	holder, ok := nc.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := holder.SyscallConn()
	if err != nil {
		return nil
	}
	return raw
}

// burst passes on what src brings without a pause, from socket to socket where that can be. It reports false when the other side
// takes no more; the end and errors of src are left to the next read.
func (t *tunnel) burst(to *sender, src *waiter) (passed int64, ok bool) {
	raw := tunnelRaw(to.nc)
	if raw == nil || src.raw == nil {
		return 0, true
	}
	pipe, err := t.c.engine.pipes.Open()
	if err != nil {
		return 0, true
	}
	defer pipe.Close()
	for {
		n, err := 0, error(nil)
		failed := src.raw.Read(func(fd uintptr) bool {
			n, err = pipe.Fill(fd, math.MaxInt64)
			return true // a pipe is not held while nothing comes
		})
		if failed != nil || err != nil || n == 0 {
			return passed, true
		}
		if to.sendPipe(pipe, raw, t.c.options().BodyTimeout) != nil {
			return passed, false
		}
		passed += int64(n)
		t.lastByte.Store(time.Now().UnixNano())
	}
}
