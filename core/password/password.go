// Package password checks passwords against sets of users and hashes, a bounded number at a time, and remembers what it has found.
package password

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// MaxText is the most bytes that a user's name or a password may have. Some hashes cost by the length of what they hash.
const MaxText = 512

// What Check says of a password that was not found right.
var (
	ErrWrong = errors.New("wrong user or password")
	ErrBusy  = errors.New("too many passwords wait to be checked")
	ErrLate  = errors.New("the password has waited too long to be checked")
)

// User is a name and what its password is checked against.
type User struct {
	Name string
	Hash string // as in a line of htpasswd or shadow, without the name
}

// Options are what a Set is made of.
type Options struct {
	Users   []User        // at least one, no name twice
	Keep    time.Duration // how long a right password is remembered; 0: not at all
	Workers *Workers      // do the work, of several sets perhaps
	Now     func() time.Time
}

// Set checks passwords of users. It may be used by many goroutines.
type Set struct {
	hashes  map[string]hash
	decoys  []hash // in the order of the users' names
	salt    [sha256.Size]byte
	workers *Workers
	stats   counters
	memory  memory

	mu     sync.Mutex
	flying map[digest]*flight
}

// flight is a check under way, which others wait for that have the same question.
type flight struct {
	landed  chan struct{}
	verdict error
}

// New makes a set. Its error tells the first hash that cannot be used, by the user's name, and why, and nothing of the hash.
func New(o Options) (*Set, error) {
	if len(o.Users) == 0 {
		return nil, errors.New("holds no user")
	}
	s := &Set{hashes: make(map[string]hash, len(o.Users)), workers: o.Workers, flying: map[digest]*flight{}}
	sum := sha256.New()
	users := slices.SortedFunc(slices.Values(o.Users), func(a, b User) int { return strings.Compare(a.Name, b.Name) })
	for _, u := range users {
		h, err := parse(u.Hash)
		if err != nil {
			return nil, fmt.Errorf("user %q: %w", u.Name, err)
		}
		s.hashes[u.Name], s.decoys = h, append(s.decoys, h)
		fmt.Fprintf(sum, "%q %q\n", u.Name, u.Hash)
	}
	sum.Sum(s.salt[:0])
	now := o.Now
	if now == nil {
		now = time.Now
	}
	s.memory.init(o.Keep, now)
	return s, nil
}

// Known returns the verdict on a password if it is remembered: nil for the right one, else ErrWrong.
func (s *Set) Known(user, password string) (verdict error, known bool) {
	if !plausible(user, password) {
		return ErrWrong, true
	}
	return s.memory.find(user, s.memory.digest(user, password))
}

// Check returns nil for the right password, ErrWrong for another and for a user that there is not, and else ErrBusy or ErrLate: nobody knows.
// It waits for its turn, and takes as long for a user that there is not as for one that there is.
func (s *Set) Check(user, password string) error {
	if !plausible(user, password) {
		return ErrWrong
	}
	d := s.memory.digest(user, password)
	s.mu.Lock()
	if verdict, known := s.memory.find(user, d); known {
		s.mu.Unlock()
		return verdict
	}
	if f := s.flying[d]; f != nil {
		s.mu.Unlock()
		<-f.landed
		return f.verdict
	}
	f := &flight{landed: make(chan struct{}), verdict: ErrBusy}
	s.flying[d] = f
	s.mu.Unlock()
	defer s.land(d, f)
	f.verdict = s.work(user, password)
	s.memory.note(user, d, f.verdict)
	return f.verdict
}

// land lets go of those who wait. Whoever asks from now on finds the verdict remembered, or asks anew.
func (s *Set) land(d digest, f *flight) {
	s.mu.Lock()
	delete(s.flying, d)
	s.mu.Unlock()
	close(f.landed)
}

func (s *Set) work(user, password string) error {
	h, there := s.hashes[user]
	if !there {
		h = s.decoy(user)
	}
	c := h.cost()
	if err := s.workers.enter(c); err != nil {
		s.stats.refused.Add(1)
		return err
	}
	defer s.workers.leave(c)
	same := h.matches([]byte(password))
	s.stats.hashed.Add(1)
	if !same || !there {
		return ErrWrong
	}
	return nil
}

// Stats are counts since a set was made.
type Stats struct {
	Users   int
	Hashed  int64 // hashes computed
	Refused int64 // for want of room
}

type counters struct{ hashed, refused atomic.Int64 }

// Stats returns what has been counted so far.
func (s *Set) Stats() Stats {
	return Stats{len(s.hashes), s.stats.hashed.Load(), s.stats.refused.Load()}
}

// decoy returns the hash that a user who is not there is checked against: always the same for a name, and as dear as some user's. The
// dearest for all of them would give away those whose hash is cheaper.
func (s *Set) decoy(user string) hash {
	sum := sha256.Sum256(append(s.salt[:len(s.salt):len(s.salt)], user...))
	return s.decoys[binary.LittleEndian.Uint64(sum[:])%uint64(len(s.decoys))]
}

// plausible reports whether it can be anybody's name and password: programs that make hashes stop at a NUL.
func plausible(user, password string) bool {
	return user != "" && password != "" && len(user) <= MaxText && len(password) <= MaxText && strings.IndexByte(password, 0) < 0
}

// digest stands for a user and a password. Nobody who sees it can tell them: its key is random, and never leaves the process.
type digest [sha256.Size]byte

func newKey() (key [sha256.Size]byte) {
	_, _ = rand.Read(key[:]) // it never fails
	return key
}

func digestOf(key *[sha256.Size]byte, user, password string) (d digest) {
	var room [2*MaxText + 8]byte
	text := binary.LittleEndian.AppendUint64(room[:0], uint64(len(user)))
	text = append(append(text, user...), password...)
	mac := hmac.New(sha256.New, key[:])
	mac.Write(text)
	mac.Sum(d[:0])
	clear(text)
	return d
}
