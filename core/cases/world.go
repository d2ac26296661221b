package cases

import (
	"encoding/binary"
	"math/rand/v2"
	"sync"
	"time"
)

// world is the clock that stands still and the randomness that is the same every time. It may be used by many goroutines.
type world struct {
	mu     sync.Mutex
	clock  time.Time
	source *rand.ChaCha8
}

func (w *world) set(clock time.Time, seed int64) {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], uint64(seed))
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clock, w.source = clock, rand.NewChaCha8(key)
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.clock
}

func (w *world) random(b []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, _ = w.source.Read(b) // it never fails
}
