package discover

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// settle is how long after a change further ones are waited for, so that a flapping source has not everything made anew each time.
const settle = 100 * time.Millisecond

// Feed watches one Source and passes its endpoints on when they have changed. When the source fails it keeps those that it has. Any
// goroutine may call its methods.
type Feed struct {
	source Source
	cancel context.CancelFunc
	done   chan struct{} // closed when the source has returned
	ready  chan struct{} // closed when the source has answered or failed

	delivering sync.Mutex // held while subscribers are told; before mu

	mu        sync.Mutex
	closed    bool
	told      bool       // there is a list, from the source or the former feed
	list      []Endpoint // as passed on; never changed in place
	next      []Endpoint // as found last
	pending   *time.Timer
	subscribe map[*func([]Endpoint)]struct{}
	state     State
	log       feedLog
}

// State is how a Feed is doing at one moment.
type State struct {
	Identity
	Endpoints []Endpoint // that are in use; not to be changed
	Success   time.Time  // when the source last told them; zero: never
	Failure   time.Time  // when it last failed; zero: never
	Error     string     // why it failed; "" when it has not since Success
	Changes   uint64     // of the endpoints
	Failures  uint64
}

// Start makes a Feed that watches a source until Close. The endpoints of former, if it is not nil and of a source with the same identity,
// are used until there are others.
func Start(source Source, former *Feed, log *slog.Logger) *Feed {
	id := source.Identity()
	f := &Feed{
		source: source, log: feedLog{log: log.With("source", id.Kind, "name", id.Name)}, done: make(chan struct{}), ready: make(chan struct{}),
		subscribe: map[*func([]Endpoint)]struct{}{}, state: State{Identity: id},
	}
	if former != nil && former.source.Identity() == id {
		f.list, f.told = former.current()
		f.next = f.list
	}
	ctx, cancel := context.WithCancel(context.Background())
	f.cancel = cancel
	go func() {
		defer close(f.done)
		source.Watch(ctx, f.found)
	}()
	return f
}

// Await waits until the source has told its endpoints, and they were passed on, or has failed for the first time. It reports false when
// that has not been before ctx has ended.
func (f *Feed) Await(ctx context.Context) bool {
	select {
	case <-f.ready:
		return true
	default:
	}
	select {
	case <-f.ready:
		return true
	case <-ctx.Done():
		return false
	}
}

// Subscribe has changed called with the endpoints when they are known, perhaps before it returns, and whenever they have changed. The
// calls come one after the other, and must not call the Feed; the list is not to be changed. After stop has returned there are no more.
func (f *Feed) Subscribe(changed func(list []Endpoint)) (stop func()) {
	f.delivering.Lock()
	defer f.delivering.Unlock()
	f.mu.Lock()
	f.subscribe[&changed] = struct{}{}
	f.mu.Unlock()
	if list, told := f.current(); told {
		changed(list)
	}
	return func() {
		f.delivering.Lock()
		defer f.delivering.Unlock()
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.subscribe, &changed)
	}
}

// Close ends the watching and waits for its end. Nobody is told of anything afterwards.
func (f *Feed) Close() {
	f.cancel()
	<-f.done
	f.delivering.Lock()
	defer f.delivering.Unlock()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	if f.pending != nil {
		f.pending.Stop()
	}
}

// State returns how the feed is doing.
func (f *Feed) State() State {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.state
	s.Endpoints = f.list
	return s
}

func (f *Feed) current() (list []Endpoint, told bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.list, f.told
}

// found takes what the source says.
func (f *Feed) found(list []Endpoint, err error) {
	f.note(err)
	if (err == nil || list != nil) && f.take(Merge(list)) {
		f.publish()
	}
	select {
	case <-f.ready:
	default:
		close(f.ready) // the source calls from one goroutine at a time
	}
}

// note keeps how it went.
func (f *Feed) note(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case err != nil:
		f.state.Failure, f.state.Error = time.Now(), err.Error()
		f.state.Failures++
		f.log.failed(err, len(f.list))
	case f.state.Error != "":
		f.log.recovered()
		fallthrough
	default:
		f.state.Success, f.state.Error = time.Now(), ""
	}
}

// take keeps what was found, and reports whether it is to be passed on now: what differs from what was known before waits a little.
func (f *Feed) take(list []Endpoint) (now bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.next = list
	if f.told && f.pending == nil && !slices.Equal(f.list, list) {
		f.pending = time.AfterFunc(settle, f.publish)
	}
	return !f.told
}

// publish passes on what was found last, if it is something else than before.
func (f *Feed) publish() {
	f.delivering.Lock()
	defer f.delivering.Unlock()
	list, subscribers := f.swap()
	for _, changed := range subscribers {
		changed(list)
	}
}

// swap makes what was found last what is passed on. There is nobody to tell when it is the same.
func (f *Feed) swap() (list []Endpoint, subscribers []func([]Endpoint)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pending = nil
	if f.closed || f.told && slices.Equal(f.list, f.next) {
		return nil, nil
	}
	f.log.changed(f.list, f.next)
	f.state.Changes++
	f.list, f.told = f.next, true
	for changed := range f.subscribe {
		subscribers = append(subscribers, *changed)
	}
	return f.list, subscribers
}
