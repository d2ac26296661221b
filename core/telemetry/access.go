package telemetry

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
)

const (
	// flushInterval is how long a line may wait to be written. A timer and not each line wakes the writer: waking a
	// goroutine costs more than a line.
	flushInterval = 100 * time.Millisecond
	// bufferSize is how many bytes of lines may wait; half of it wakes the writer early.
	bufferSize = 4 << 20
	// closePatience is how long Close waits for what takes the lines.
	closePatience = 2 * time.Second
)

// AccessLog writes a line for each exchange. Write never waits for the file or the terminal: lines that would not fit into the buffer are
// dropped and counted. It may be used by many goroutines.
type AccessLog struct {
	path   string // "" for stdout
	format atomic.Pointer[Format]
	log    *slog.Logger

	mu      sync.Mutex // of line and closed
	line    line       // its bytes are the lines that wait
	closed  bool
	dropped atomic.Uint64

	out   sync.Mutex // of what follows, held while writing
	sink  io.WriteCloser
	spare []byte
	torn  bool   // the last line that was written has no end
	told  uint64 // how many dropped lines the log itself has told of
	state sinkState

	full    chan struct{}
	stop    chan struct{}
	stopped chan struct{}

	patience time.Duration // of Close
}

// OpenAccessLog starts an access log on "stdout" or on the file of that path, which is appended to. What becomes of the lines goes to log:
// when they cannot be written, and when again, and how many were dropped.
func OpenAccessLog(target string, format *Format, log *slog.Logger) (*AccessLog, error) {
	if target == "stdout" {
		return newAccessLog("", unclosed{os.Stdout}, format, log), nil
	}
	sink, err := openLogFile(target)
	if err != nil {
		return nil, err
	}
	return newAccessLog(target, sink, format, log), nil
}

func openLogFile(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
}

// unclosed keeps stdout open when the log is closed.
type unclosed struct{ io.Writer }

func (unclosed) Close() error { return nil }

func newAccessLog(path string, sink io.WriteCloser, format *Format, log *slog.Logger) *AccessLog {
	l := &AccessLog{
		path: path, sink: sink, log: log, full: make(chan struct{}, 1), stop: make(chan struct{}), stopped: make(chan struct{}), patience: closePatience,
	}
	l.format.Store(format)
	go l.run()
	return l
}

// SetFormat has lines from now on written that way; none is lost.
func (l *AccessLog) SetFormat(f *Format) { l.format.Store(f) }

// Write adds the line of an exchange that has ended, if it is to have one. It reports false when the log is closed: the line belongs into
// the one that has taken its place.
func (l *AccessLog) Write(x *exchange.Exchange) bool {
	f := l.format.Load()
	share, ok := f.sampling.takes(x)
	if !ok {
		return true
	}
	l.mu.Lock()
	if l.closed || len(l.line.b) > bufferSize {
		open := !l.closed
		l.mu.Unlock()
		if open {
			l.dropped.Add(1)
		}
		return open
	}
	before := len(l.line.b)
	f.write(&l.line, x, share)
	wake := before < bufferSize/2 && len(l.line.b) >= bufferSize/2
	l.mu.Unlock()
	if wake {
		select {
		case l.full <- struct{}{}:
		default: // it has been woken already
		}
	}
	return true
}

// Dropped returns how many lines were dropped since the start.
func (l *AccessLog) Dropped() uint64 { return l.dropped.Load() }

// Reopen opens the file anew, after it was moved away; nothing is lost.
func (l *AccessLog) Reopen() error {
	if l.path == "" {
		return nil
	}
	next, err := openLogFile(l.path)
	if err != nil {
		return err
	}
	l.flush()
	l.out.Lock()
	old := l.sink
	l.sink = next
	l.out.Unlock()
	return old.Close()
}

// Close writes what waits and closes the file. It gives up after a while: a pipe that nobody reads must not keep the
// process from ending.
func (l *AccessLog) Close() error {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	close(l.stop)
	patience := time.NewTimer(l.patience)
	defer patience.Stop()
	select {
	case <-l.stopped:
		return l.sink.Close()
	case <-patience.C:
		return errors.New("the access log takes no lines: the last ones are lost")
	}
}

func (l *AccessLog) run() {
	defer close(l.stopped)
	tick := time.NewTicker(flushInterval)
	defer tick.Stop()
	for {
		select {
		case <-l.stop:
			l.flush()
			return
		case <-tick.C:
		case <-l.full:
		}
		l.flush()
	}
}

// flush swaps the two buffers under the short lock and writes outside of it.
func (l *AccessLog) flush() {
	l.out.Lock()
	defer l.out.Unlock()
	l.mu.Lock()
	lines := l.line.b
	l.line.b = l.spare[:0]
	l.mu.Unlock()
	if len(lines) > 0 {
		l.write(lines)
	}
	l.tellDropped(l.dropped.Load())
	l.spare = lines
}

// write writes lines, and counts those that could not be. What comes behind a line that was torn begins with a new one.
func (l *AccessLog) write(lines []byte) {
	if l.torn {
		if _, err := l.sink.Write([]byte("\n")); err != nil {
			l.dropped.Add(uint64(countLines(lines)))
			return
		}
		l.torn = false
	}
	n, err := l.sink.Write(lines)
	if err != nil {
		l.dropped.Add(uint64(countLines(lines[n:])))
		l.torn = n > 0 && lines[n-1] != '\n'
	}
	l.state.tellError(l.log, err)
}

// tellDropped says in the log itself, unless its format has no way to, and in the gateway's how many lines were dropped.
func (l *AccessLog) tellDropped(dropped uint64) {
	if dropped != l.told && !l.torn && !l.format.Load().clf {
		n, err := fmt.Fprintf(l.sink, "{\"dropped\":%d}\n", dropped-l.told)
		if err == nil {
			l.told = dropped
		}
		l.torn = err != nil && n > 0
	}
	l.state.tellDropped(l.log, dropped, time.Now())
}

func countLines(b []byte) int {
	n := 0
	for _, c := range b {
		if c == '\n' {
			n++
		}
	}
	return n
}
