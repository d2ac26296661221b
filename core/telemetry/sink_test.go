package telemetry

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// faulty is a sink that takes room bytes and no more, as a full disk does.
type faulty struct {
	b    bytes.Buffer
	room int
}

var errFull = errors.New("no space left on device")

func (s *faulty) Write(p []byte) (int, error) {
	n := min(len(p), s.room)
	s.room -= n
	s.b.Write(p[:n])
	if n < len(p) {
		return n, errFull
	}
	return n, nil
}

func (s *faulty) Close() error { return nil }

// A full disk is told of once, and again when there is room; the line that it tore does not spoil the one behind.
func TestWriteErrorsAreToldOnce(t *testing.T) {
	var told bytes.Buffer
	sink := &faulty{room: 100}
	l := newAccessLog("", sink, formatOf(t, FormatOptions{}), slog.New(slog.NewJSONHandler(&told, nil)))
	x := ended()
	for range 3 {
		l.Write(x)
		l.Write(x)
		l.flush()
	}
	if got := l.Dropped(); got != 6 {
		t.Errorf("got %d dropped lines, want 6", got)
	}
	l.out.Lock()
	sink.room = 1 << 20
	l.out.Unlock()
	l.Write(x)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(sink.b.String(), "\n")
	if len(lines) != 4 || json.Valid([]byte(lines[0])) || !json.Valid([]byte(lines[1])) || lines[2] != `{"dropped":6}` {
		t.Errorf("got %q", lines)
	}
	for text, want := range map[string]int{"cannot write the access log": 1, "can be written again": 1, "lines were dropped": 1} {
		if got := strings.Count(told.String(), text); got != want {
			t.Errorf("%q is told %d times, want %d:\n%s", text, got, want, told.String())
		}
	}
}

// Whoever finds the log closed hears of it, so that the line goes into the next one; none is lost, and none is written twice.
func TestNoLineIsLostBetweenTwoLogs(t *testing.T) {
	dir := t.TempDir()
	paths := []string{filepath.Join(dir, "0"), filepath.Join(dir, "1"), filepath.Join(dir, "2")}
	open := func(i int) *AccessLog {
		l, err := OpenAccessLog(paths[i], formatOf(t, FormatOptions{}), slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	var mu sync.RWMutex
	current := open(0)
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			x := ended()
			for written := 0; written < 1000; { // all together less than would be dropped
				mu.RLock()
				l := current
				mu.RUnlock()
				if l.Write(x) {
					written++
				}
			}
		})
	}
	for i := 1; i < len(paths); i++ {
		old, next := current, open(i)
		mu.Lock()
		current = next
		mu.Unlock()
		next.SetFormat(formatOf(t, FormatOptions{Fields: []string{"status"}}))
		if err := old.Close(); err != nil {
			t.Fatal(err)
		}
	}
	wait.Wait()
	if err := current.Close(); err != nil {
		t.Fatal(err)
	}
	lines := 0
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		lines += bytes.Count(text, []byte("\n"))
	}
	if lines != 8000 {
		t.Errorf("got %d lines, want 8000", lines)
	}
}

func TestDroppedLinesAreToldAtTimes(t *testing.T) {
	var told bytes.Buffer
	log, now := slog.New(slog.NewJSONHandler(&told, nil)), time.Unix(1000, 0)
	var s sinkState
	s.tellDropped(log, 0, now)
	s.tellDropped(log, 3, now)
	s.tellDropped(log, 9, now.Add(tellInterval-1))
	s.tellDropped(log, 10, now.Add(tellInterval))
	s.tellDropped(log, 10, now.Add(3*tellInterval))
	if got := told.String(); strings.Count(got, "\n") != 2 || !strings.Contains(got, `"lines":3`) || !strings.Contains(got, `"lines":7`) {
		t.Errorf("got %s", got)
	}
}
