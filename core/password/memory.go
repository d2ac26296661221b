package password

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"sync"
	"time"
)

// What is remembered of wrong passwords: each has one place where it may be, so that whoever guesses only pushes out other guesses.
const (
	keepWrong   = 10 * time.Second
	wrongPlaces = 1024
)

// memory remembers verdicts. Right passwords are kept by user, so that there are no more than users; wrong ones apart from them.
type memory struct {
	key  [sha256.Size]byte
	keep time.Duration
	now  func() time.Time

	mu    sync.RWMutex
	right map[string]remembered
	wrong []remembered
}

// remembered is a verdict and how long it holds. The zero value holds no longer.
type remembered struct {
	digest digest
	until  time.Time
}

func (m *memory) init(keep time.Duration, now func() time.Time) {
	m.key, m.keep, m.now = newKey(), keep, now
	m.right = map[string]remembered{}
	if keep > 0 {
		m.wrong = make([]remembered, wrongPlaces)
	}
}

func (m *memory) digest(user, password string) digest { return digestOf(&m.key, user, password) }

func (m *memory) find(user string, d digest) (verdict error, known bool) {
	if m.keep == 0 {
		return nil, false
	}
	now := m.now()
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.right[user].holds(&d, now) {
		return nil, true
	}
	if m.wrong[place(&d)].holds(&d, now) {
		return ErrWrong, true
	}
	return nil, false
}

func (r remembered) holds(d *digest, now time.Time) bool {
	return subtle.ConstantTimeCompare(r.digest[:], d[:]) == 1 && now.Before(r.until)
}

// note remembers a verdict; that nobody could tell is none.
func (m *memory) note(user string, d digest, verdict error) {
	if m.keep == 0 {
		return
	}
	now := m.now()
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case verdict == nil:
		m.right[user] = remembered{d, now.Add(m.keep)}
	case errors.Is(verdict, ErrWrong):
		m.wrong[place(&d)] = remembered{d, now.Add(min(m.keep, keepWrong))}
	}
}

func place(d *digest) uint64 { return binary.LittleEndian.Uint64(d[:]) % wrongPlaces }
