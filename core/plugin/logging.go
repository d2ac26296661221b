package plugin

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/sallyport/sallyport/core/plugin/abi"
)

// How much a pool may write to the log.
const (
	linesPerSecond    = 50 // of what its plugin says
	linesAtOnce       = 200
	failuresPerSecond = 5
	failuresAtOnce    = 20
)

// bucket lets so many lines pass per second, and counts the others.
type bucket struct {
	rate, room float64

	mu      sync.Mutex
	full    float64
	last    time.Time
	dropped int
}

func newBucket(rate, room float64) bucket {
	return bucket{rate: rate, room: room, full: room}
}

// pass reports whether a line may be written now, and how many were dropped since the last that was.
func (b *bucket) pass(now time.Time) (dropped int, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.last.IsZero() {
		b.full = min(b.room, b.full+b.rate*now.Sub(b.last).Seconds())
	}
	b.last = now
	if b.full < 1 {
		b.dropped++
		return 0, false
	}
	b.full--
	dropped, b.dropped = b.dropped, 0
	return dropped, true
}

func slogLevel(level uint32) (slog.Level, bool) {
	levels := [...]slog.Level{
		abi.LogDebug: slog.LevelDebug,
		abi.LogInfo:  slog.LevelInfo,
		abi.LogWarn:  slog.LevelWarn,
		abi.LogError: slog.LevelError,
	}
	if level >= uint32(len(levels)) {
		return 0, false
	}
	return levels[level], true
}

// cut shortens a text to what the log takes.
func cut(text string) string { return text[:min(len(text), abi.MaxText)] }

// say writes what the guest has to say to the log.
func (c *call) say(level slog.Level, text string) {
	log := c.pool.plugin.log
	if !log.Enabled(context.Background(), level) {
		return
	}
	c.cost += costLog
	dropped, ok := c.pool.talk.pass(time.Now())
	if !ok {
		return
	}
	attrs := make([]slog.Attr, 0, 5)
	attrs = append(attrs, slog.String("text", strings.ToValidUTF8(strings.Clone(cut(text)), "\uFFFD")))
	if x := c.work.x; x != nil {
		attrs = append(attrs, slog.String("route", x.Route), slog.String("request_id", x.ID))
	}
	if dropped > 0 {
		attrs = append(attrs, slog.Int("dropped", dropped))
	}
	log.LogAttrs(context.Background(), level, "plugin says", attrs...)
}

// lineBuffer makes lines of what a guest writes to stdout or stderr in pieces.
type lineBuffer struct {
	part []byte
}

// write takes a piece and calls say for every line that is complete, or too long.
func (b *lineBuffer) write(piece []byte, say func(string)) {
	for _, c := range piece {
		if c == '\n' || len(b.part) >= abi.MaxText {
			b.flush(say)
		}
		if c != '\n' {
			b.part = append(b.part, c)
		}
	}
}

// flush calls say with what is left of a line.
func (b *lineBuffer) flush(say func(string)) {
	if len(b.part) > 0 {
		say(string(b.part))
		b.part = b.part[:0]
	}
}
