package gateway

import "sync"

// shelf keeps what several Snapshots use at once (a plugin, an upstream, a limiter's counts), so that a new
// generation finds unchanged parts as the old one left them. A thing is closed when the last user lets go.
type shelf[T any] struct {
	mu    sync.Mutex
	items map[string]*shelved[T]
}

type shelved[T any] struct {
	value T
	users int
}

// take returns the thing under key, made by build if there is none, and what lets go of it.
func (s *shelf[T]) take(key string, build func() (T, error), closeThing func(T)) (T, func(), error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	item, ok := s.items[key]
	if !ok {
		value, err := build()
		if err != nil {
			return value, nil, err
		}
		item = &shelved[T]{value: value}
		if s.items == nil {
			s.items = map[string]*shelved[T]{}
		}
		s.items[key] = item
	}
	item.users++
	return item.value, func() {
		if s.leave(key, item) {
			closeThing(item.value) // without the lock: a plugin's pool waits for the hooks that run
		}
	}, nil
}

// leave reports whether the item has lost its last user, and is off the shelf.
func (s *shelf[T]) leave(key string, item *shelved[T]) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if item.users--; item.users > 0 {
		return false
	}
	delete(s.items, key)
	return true
}

// all returns the things on the shelf.
func (s *shelf[T]) all() []T {
	s.mu.Lock()
	defer s.mu.Unlock()
	things := make([]T, 0, len(s.items))
	for _, item := range s.items {
		things = append(things, item.value)
	}
	return things
}
