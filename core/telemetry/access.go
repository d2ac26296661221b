package telemetry

import (
	"errors"
	"fmt"
	"io"
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

// AccessLog writes a JSON line for each exchange. Write never waits for the file or the terminal: lines that would not fit into
// the buffer are dropped and counted. It may be used by many goroutines.
type AccessLog struct {
	path string // "" for stdout

	mu      sync.Mutex // of lines
	lines   []byte
	told    uint64 // how many dropped lines have been told of
	dropped atomic.Uint64

	out     sync.Mutex // of sink, held while writing
	sink    io.WriteCloser
	spare   []byte
	full    chan struct{}
	stop    chan struct{}
	stopped chan struct{}

	patience time.Duration // of Close
}

// OpenAccessLog starts an access log on "stdout" or on the file of that path, which is appended to.
func OpenAccessLog(target string) (*AccessLog, error) {
	if target == "stdout" {
		return newAccessLog("", unclosed{os.Stdout}), nil
	}
	sink, err := openLogFile(target)
	if err != nil {
		return nil, err
	}
	return newAccessLog(target, sink), nil
}

func openLogFile(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
}

// unclosed keeps stdout open when the log is closed.
type unclosed struct{ io.Writer }

func (unclosed) Close() error { return nil }

func newAccessLog(path string, sink io.WriteCloser) *AccessLog {
	l := &AccessLog{path: path, sink: sink, full: make(chan struct{}, 1), stop: make(chan struct{}), stopped: make(chan struct{}), patience: closePatience}
	go l.run()
	return l
}

// Write adds the line of an exchange that has ended.
func (l *AccessLog) Write(x *exchange.Exchange) {
	l.mu.Lock()
	if len(l.lines) > bufferSize {
		l.mu.Unlock()
		l.dropped.Add(1)
		return
	}
	before := len(l.lines)
	if dropped := l.dropped.Load(); dropped != l.told {
		l.lines = fmt.Appendf(l.lines, "{\"dropped\":%d}\n", dropped-l.told)
		l.told = dropped
	}
	l.lines = appendLine(l.lines, x)
	wake := before < bufferSize/2 && len(l.lines) >= bufferSize/2
	l.mu.Unlock()
	if wake {
		select {
		case l.full <- struct{}{}:
		default: // it has been woken already
		}
	}
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
	lines := l.lines
	l.lines = l.spare[:0]
	l.mu.Unlock()
	if len(lines) > 0 {
		if _, err := l.sink.Write(lines); err != nil {
			l.dropped.Add(uint64(countLines(lines)))
		}
	}
	l.spare = lines
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
