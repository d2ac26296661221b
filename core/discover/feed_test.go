package discover

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// told is what a Source says at one time.
type told struct {
	list []Endpoint
	err  error
}

// script is a Source that says what a test gives it.
type script struct {
	name  string
	tells chan told
}

func newScript(name string) *script { return &script{name, make(chan told)} }

func (s *script) Identity() Identity { return Identity{"script", s.name} }

func (s *script) Watch(ctx context.Context, found func([]Endpoint, error)) {
	for {
		select {
		case <-ctx.Done():
			return
		case one := <-s.tells:
			found(one.list, one.err)
		}
	}
}

// say has the source say something, and everything that follows from it at once happen.
func (s *script) say(list []Endpoint, err error) {
	s.tells <- told{list, err}
	synctest.Wait()
}

func at(addresses ...string) []Endpoint {
	list := []Endpoint{}
	for _, address := range addresses {
		list = append(list, Endpoint{Address: address, Weight: 1})
	}
	return list
}

// ear keeps what a subscriber was told.
type ear struct {
	mu    sync.Mutex
	lists [][]Endpoint
}

func (e *ear) hear(list []Endpoint) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.lists = append(e.lists, list)
}

// expect fails the test unless the subscriber was told n times, the last time of these addresses.
func (e *ear) expect(t *testing.T, n int, addresses ...string) {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.lists) != n {
		t.Fatalf("told %d times, want %d", len(e.lists), n)
	}
	if n > 0 && !slices.Equal(e.lists[n-1], at(addresses...)) {
		t.Errorf("told of %v, want %v", e.lists[n-1], addresses)
	}
}

func (e *ear) clear() { e.lists = nil }

func isReady(f *Feed) bool {
	select {
	case <-f.ready:
		return true
	default:
		return false
	}
}

var errTest = errors.New("out of order")

func TestFeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, ear, ear2 := newScript("a"), &ear{}, &ear{}
		f := Start(source, nil, slog.New(slog.DiscardHandler))
		stop := f.Subscribe(ear.hear)
		synctest.Wait()
		if isReady(f) {
			t.Error("ready, and the source has said nothing")
		}
		ear.expect(t, 0)
		source.say(at("b:1", "a:1", "b:1"), nil)
		ear.expect(t, 1, "a:1", "b:1")
		if !isReady(f) {
			t.Error("not ready")
		}
		f.Subscribe(ear2.hear)
		ear2.expect(t, 1, "a:1", "b:1")

		source.say(at("a:1", "b:1"), nil)
		time.Sleep(time.Minute)
		ear.expect(t, 1, "a:1", "b:1")
		source.say(nil, errTest)
		time.Sleep(time.Minute)
		ear.expect(t, 1, "a:1", "b:1")
		if s := f.State(); s.Error != errTest.Error() || s.Failures != 1 || s.Changes != 1 || len(s.Endpoints) != 2 || !s.Failure.After(s.Success) {
			t.Errorf("after a failure: %+v", s)
		}

		source.say(at("c:1"), nil)
		source.say(at("d:1"), nil)
		ear.expect(t, 1, "a:1", "b:1")
		time.Sleep(settle)
		synctest.Wait()
		ear.expect(t, 2, "d:1")
		source.say(at("e:1"), nil)
		source.say(at("d:1"), nil)
		time.Sleep(settle)
		synctest.Wait()
		ear.expect(t, 2, "d:1")
		if s := f.State(); s.Error != "" || s.Changes != 2 {
			t.Errorf("after changes: %+v", s)
		}

		stop()
		source.say(at("f:1"), errTest) // a part of it is old
		time.Sleep(settle)
		synctest.Wait()
		ear.expect(t, 2, "d:1")
		ear2.expect(t, 3, "f:1")
		if s := f.State(); s.Error != errTest.Error() {
			t.Errorf("after half a failure: %+v", s)
		}
		source.say(at(), nil)
		f.Close() // in the middle of a change
		time.Sleep(time.Minute)
		ear2.expect(t, 3, "f:1")
	})
}

// What a source finds first may be that there is nobody.
func TestFeedEmpty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, ear := newScript("a"), &ear{}
		f := Start(source, nil, slog.New(slog.DiscardHandler))
		defer f.Close()
		f.Subscribe(ear.hear)
		source.say(nil, errTest)
		ear.expect(t, 0)
		if !isReady(f) {
			t.Error("not ready after the first failure")
		}
		source.say(at(), nil)
		ear.expect(t, 1)
	})
}

func TestFeedFormer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := slog.New(slog.DiscardHandler)
		first := newScript("a")
		former := Start(first, nil, log)
		defer former.Close()
		first.say(at("a:1"), nil)

		source, ear, other := newScript("a"), &ear{}, newScript("b")
		f := Start(source, former, log)
		defer f.Close()
		f.Subscribe(ear.hear)
		ear.expect(t, 1, "a:1")
		if isReady(f) {
			t.Error("ready with what is old")
		}
		source.say(nil, errTest)
		source.say(at("a:1"), nil)
		time.Sleep(settle)
		synctest.Wait()
		ear.expect(t, 1, "a:1")

		ear.clear()
		g := Start(other, former, log)
		defer g.Close()
		g.Subscribe(ear.hear)
		ear.expect(t, 0)
	})
}

func TestFeedLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		source := newScript("a")
		f := Start(source, nil, slog.New(slog.NewTextHandler(&log, nil)))
		for i := range 120 {
			source.say(at(strings.Repeat("x", i%2+1)+":1"), nil)
			time.Sleep(settle)
			synctest.Wait()
			source.say(nil, errTest)
			time.Sleep(time.Second - settle)
		}
		f.Close()
		for text, want := range map[string]int{"endpoints have changed": 20, "discovery failed": 2, "discovery works again": 2} {
			if got := strings.Count(log.String(), text); got != want {
				t.Errorf("%q is logged %d times in two minutes, want %d", text, got, want)
			}
		}
		for _, want := range []string{"source=script name=a", "added=[x:1] removed=[]", "added=[xx:1] removed=[x:1]", "unsaid=50", "unsaid=59"} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("the log lacks %q:\n%s", want, log.String())
			}
		}
	})
}

// Who mends a file and makes another mistake hears of it at once, and that it is right at last; the same again and again is told once.
func TestFeedLogTellsWhatIsNew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		source := newScript("a")
		f := Start(source, nil, slog.New(slog.NewTextHandler(&log, nil)))
		for _, failure := range []string{"first", "", "second", "third", "third", "", "third", ""} {
			var err error
			if failure != "" {
				err = errors.New(failure + " mistake")
			}
			source.say(nil, err)
			synctest.Wait()
		}
		f.Close()
		var got []string
		for _, word := range strings.Fields(log.String()) {
			if slices.Contains([]string{"again\"", `error="first`, `error="second`, `error="third`}, word) {
				got = append(got, strings.Trim(strings.TrimPrefix(word, "error="), `"`))
			}
		}
		if want := []string{"first", "again", "second", "third", "again"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q:\n%s", got, want, log.String())
		}
	})
}

func TestMerge(t *testing.T) {
	fixed := []Endpoint{{Address: "b:1", Weight: 3}, {Address: "unix:/a", Weight: 1}}
	found := []Endpoint{{Address: "c:1", Weight: 1, Zone: "z", Priority: 1}, {Address: "b:1", Weight: 1}, {Address: "a:1", Weight: 1}, {Address: "a:1", Weight: 2}}
	got := Merge(fixed, found)
	want := []Endpoint{{Address: "a:1", Weight: 1}, {Address: "b:1", Weight: 3}, {Address: "c:1", Weight: 1, Zone: "z", Priority: 1}, {Address: "unix:/a", Weight: 1}}
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if fixed[0].Address != "b:1" || found[0].Address != "c:1" {
		t.Error("what was merged is changed")
	}
}

// TestFeedHammer: changes, subscribers that come and go and the end, all at once, and so in no time, whatever the machine takes for it.
func TestFeedHammer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := newScript("a")
		f := Start(source, nil, slog.New(slog.DiscardHandler))
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() {
				for range 200 {
					ear := &ear{}
					stop := f.Subscribe(ear.hear)
					f.State()
					stop()
					before := len(ear.lists)
					if before > 1 {
						t.Errorf("told %d times in no time", before)
					}
				}
			})
		}
		for i := range 200 {
			source.tells <- told{at(strings.Repeat("x", i%3+1) + ":1"), nil}
		}
		group.Wait()
		f.Close()
	})
}
