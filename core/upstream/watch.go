package upstream

import (
	"errors"
	"sync"
	"time"
)

var errStuck = errors.New("the upstream does not take the request's content")

// watch looks after a stream while the exchange's goroutine waits within net/http, which knows nothing of clients that go away
// and of content that makes no progress. It looks from a timer's goroutine, after slices as for HTTP/1.1.
type watch struct {
	mu      sync.Mutex
	timer   *time.Timer
	slice   time.Duration
	over    bool
	cause   error         // why the stream was ended
	content bool          // the response's head is there
	bound   time.Duration // how long content may be silent
	down    silence
	up      silence
}

// silence measures how long a count has stayed the same.
type silence struct {
	seen  uint32
	since time.Time
}

// last returns for how long the count has been what it is, as far as has been seen, and whether it has moved since it was looked at.
func (s *silence) last(count uint32, now time.Time) (d time.Duration, moved bool) {
	if s.since.IsZero() || count != s.seen {
		s.seen, s.since = count, now
		return 0, true
	}
	return now.Sub(s.since), false
}

// startWatch begins to look, until stopWatch.
func (s *stream) startWatch() {
	w := &s.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	w.slice, w.bound = firstSlice, patience(s.x)
	first := firstSlice
	if limit := s.limit(); !limit.IsZero() {
		first = min(first, limit.Sub(s.began))
	}
	w.timer = time.AfterFunc(first, s.look)
}

// watchContent tells that the head is there: from now on it matters how long content is silent.
func (s *stream) watchContent() {
	w := &s.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	w.content, w.bound, w.slice = true, patience(s.x), firstSlice
	w.down, w.up = silence{}, silence{}
	if !w.over {
		w.timer.Reset(min(firstSlice, w.bound))
	}
}

// stopWatch ends the looking, waits for a look that is under way and returns why the watch has ended the stream, if so.
func (s *stream) stopWatch() error {
	w := &s.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
	w.timer.Stop()
	return w.cause
}

// look is the timer's function.
func (s *stream) look() {
	w := &s.watch
	w.mu.Lock()
	if w.over {
		w.mu.Unlock()
		return
	}
	next, cause := s.judge(time.Now())
	if cause == nil {
		w.timer.Reset(max(next, time.Millisecond))
		w.mu.Unlock()
		return
	}
	s.endLocked(cause)
	body := s.body
	w.mu.Unlock()
	if body != nil {
		_ = body.Close() // wakes up who reads it; it belongs to net/http, not to the exchange
	}
}

// endLocked ends the stream for a cause; the caller holds the watch's lock.
func (s *stream) endLocked(cause error) {
	s.watch.over, s.watch.cause = true, cause
	s.cancel()
	if s.upload != nil {
		s.upload.interrupt()
	}
}

// end ends the stream for a cause, unless it has ended.
func (s *stream) end(cause error) {
	s.watch.mu.Lock()
	defer s.watch.mu.Unlock()
	if !s.watch.over {
		s.endLocked(cause)
	}
}

// isOver reports whether the stream has been ended.
func (s *stream) isOver() bool {
	s.watch.mu.Lock()
	defer s.watch.mu.Unlock()
	return s.watch.over
}

// judge says when to look again, or why the stream is to be ended.
func (s *stream) judge(now time.Time) (next time.Duration, cause error) {
	w := &s.watch
	w.slice = min(2*w.slice, lastSlice)
	next = w.slice
	uploading := s.upload.isRunning()
	switch {
	case uploading:
		if next, cause = s.judgeUpload(now, next); cause != nil {
			return 0, cause
		}
	case s.isClientGone():
		return 0, errGone
	}
	if w.content {
		return s.judgeContent(now, next, uploading)
	}
	limit := s.limit()
	if limit.IsZero() {
		return next, nil
	}
	return nextWithin(next, limit.Sub(now), errLate)
}

// nextWithin shortens the time to the next look to what is left; when nothing is, that is the cause.
func nextWithin(next, left time.Duration, cause error) (time.Duration, error) {
	if left <= 0 {
		return 0, cause
	}
	return min(next, left), nil
}

// judgeUpload bounds how long net/http takes to send what it has of the request's content.
func (s *stream) judgeUpload(now time.Time, next time.Duration) (time.Duration, error) {
	count := s.upload.seq.Load()
	quiet, _ := s.watch.up.last(count, now)
	if count%2 == 1 { // it waits for more
		return next, nil
	}
	bound := s.home.responseTimeout
	if bound <= 0 {
		bound = s.watch.bound
	}
	return nextWithin(next, bound-quiet, errStuck)
}

// judgeContent bounds how long a read of the response's content waits. A request on its way is progress, bounded by itself.
func (s *stream) judgeContent(now time.Time, next time.Duration, uploading bool) (time.Duration, error) {
	w := &s.watch
	if s.send.Whole {
		left := s.send.Deadline.Sub(now)
		if left <= 0 {
			return 0, errLate
		}
		next = min(next, left)
	}
	count := s.asked.Load()
	quiet, moved := w.down.last(count, now)
	if moved {
		w.slice = firstSlice
	}
	if count%2 == 0 || uploading { // nobody waits, or not for this
		w.down.since = now
		return min(next, w.bound), nil
	}
	return nextWithin(next, w.bound-quiet, errSlow)
}

// limit is when the response's head must be there; zero: no bound. The response's time begins when the request has been sent.
func (s *stream) limit() time.Time {
	limit := s.send.until()
	timeout := s.home.responseTimeout
	if timeout <= 0 || s.upload.isRunning() {
		return limit
	}
	sent := s.began
	if wrote := s.wrote.Load(); wrote != 0 {
		sent = time.Unix(0, wrote)
	}
	if s.upload != nil {
		if ended := s.upload.ended.Load(); ended != 0 {
			sent = time.Unix(0, ended)
		}
	}
	if late := sent.Add(timeout); limit.IsZero() || late.Before(limit) {
		return late
	}
	return limit
}

// isClientGone asks the engine. Nobody does while the upload reads from the same client: it notices by itself.
func (s *stream) isClientGone() bool { return s.x.Client != nil && s.x.Client.Gone() }
