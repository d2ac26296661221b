package password

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
)

func encode64(b []byte) string { return base64.RawStdEncoding.EncodeToString(b) }

func bcryptOf(t testing.TB, text string) string {
	t.Helper()
	sum, err := bcrypt.GenerateFromPassword([]byte(text), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	return string(sum)
}

// gated is a hash of the password "right" that is computed when the gate says so.
type gated struct {
	gate    chan struct{} // nil: at once
	running atomic.Int32
	most    atomic.Int32
	takes   cost
}

func (g *gated) matches(password []byte) bool {
	n := g.running.Add(1)
	for old := g.most.Load(); n > old && !g.most.CompareAndSwap(old, n); old = g.most.Load() {
	}
	if g.gate != nil {
		<-g.gate
	}
	g.running.Add(-1)
	return string(password) == "right"
}

func (g *gated) cost() cost { return g.takes }

// setOf returns a set of one user, jo, on so many cores.
func setOf(t testing.TB, g *gated, cores int, keep time.Duration) (*Set, *clock) {
	t.Helper()
	c := &clock{at: time.Unix(1_000_000, 0)}
	s, err := New(Options{Users: []User{{"jo", bcryptOf(t, "x")}}, Keep: keep, Workers: &Workers{cores: cores, patience: time.Minute}, Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	s.hashes["jo"], s.decoys[0] = g, g
	return s, c
}

type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	c.at = c.at.Add(d)
	c.mu.Unlock()
}

// until waits for a condition.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("never: " + what)
		}
	}
}

func TestCheckAndRemember(t *testing.T) {
	s, c := setOf(t, &gated{}, 1, time.Minute)
	steps := []struct {
		name, user, password string
		pass                 time.Duration
		want                 error
		hashed               int64 // so far
	}{
		{"right", "jo", "right", 0, nil, 1},
		{"right again", "jo", "right", 59 * time.Second, nil, 1},
		{"forgotten", "jo", "right", 2 * time.Second, nil, 2},
		{"wrong", "jo", "wrong", 0, ErrWrong, 3},
		{"wrong again", "jo", "wrong", 9 * time.Second, ErrWrong, 3},
		{"wrong, forgotten", "jo", "wrong", 2 * time.Second, ErrWrong, 4},
		{"a wrong one does not push out the right one", "jo", "right", 0, nil, 4},
		{"nobody, with anybody's password", "ann", "right", 0, ErrWrong, 5},
		{"nobody again", "ann", "right", 0, ErrWrong, 5},
		{"another case", "Jo", "right", 0, ErrWrong, 6},
		{"a shifted border", "j", "oright", 0, ErrWrong, 7},
		{"empty user", "", "right", 0, ErrWrong, 7},
		{"empty password", "jo", "", 0, ErrWrong, 7},
		{"NUL", "jo", "right\x00", 0, ErrWrong, 7},
		{"huge", "jo", strings.Repeat("a", MaxText+1), 0, ErrWrong, 7},
	}
	for _, tt := range steps {
		c.pass(tt.pass)
		verdict, known := s.Known(tt.user, tt.password)
		before := s.Stats().Hashed
		if got := s.Check(tt.user, tt.password); !errors.Is(got, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
		after := s.Stats().Hashed
		if after != tt.hashed {
			t.Errorf("%s: %d hashes, want %d", tt.name, after, tt.hashed)
		}
		if known != (before == after) || known && !errors.Is(verdict, tt.want) {
			t.Errorf("%s: known %v, %v", tt.name, known, verdict)
		}
	}
}

func TestNothingIsRemembered(t *testing.T) {
	s, _ := setOf(t, &gated{}, 1, 0)
	for range 3 {
		if err := s.Check("jo", "right"); err != nil {
			t.Fatal(err)
		}
		if _, known := s.Known("jo", "right"); known {
			t.Error("it is known")
		}
	}
	if n := s.Stats().Hashed; n != 3 {
		t.Errorf("%d hashes, want 3", n)
	}
}

func TestSameQuestionsAreOne(t *testing.T) {
	g := &gated{gate: make(chan struct{})}
	s, _ := setOf(t, g, 4, 0)
	var wait sync.WaitGroup
	for range 50 {
		wait.Go(func() {
			if err := s.Check("jo", "right"); err != nil {
				t.Error(err)
			}
		})
	}
	until(t, "it is computed", func() bool { return g.running.Load() == 1 })
	go func() { // those that come after the first has landed ask anew
		for {
			select {
			case g.gate <- struct{}{}:
			case <-t.Context().Done():
				return
			}
		}
	}()
	wait.Wait()
	if g.most.Load() != 1 {
		t.Errorf("%d at once, want 1", g.most.Load())
	}
}

// More than may wait are refused at once, and all cores but those given stay free.
func TestQueueIsBounded(t *testing.T) {
	g := &gated{gate: make(chan struct{})}
	s, _ := setOf(t, g, 2, time.Minute)
	results := make(chan error, 200)
	for i := range 200 {
		go func() { results <- s.Check(fmt.Sprint("u", i), "right") }()
	}
	for range 200 - 2 - maxWaiting {
		if err := <-results; !errors.Is(err, ErrBusy) {
			t.Fatalf("got %v", err)
		}
	}
	close(g.gate)
	for range 2 + maxWaiting {
		if err := <-results; !errors.Is(err, ErrWrong) {
			t.Fatalf("got %v", err)
		}
	}
	if n := g.most.Load(); n != 2 {
		t.Errorf("%d at once, want 2", n)
	}
	if n := s.Stats(); n.Refused != 200-2-maxWaiting || n.Hashed != 2+maxWaiting {
		t.Errorf("got %+v", n)
	}
	if len(s.workers.waiting) != 0 || s.workers.busy != (cost{}) {
		t.Errorf("left: %+v", s.workers.busy)
	}
}

// Hashes that need much memory run one after the other, in turn.
func TestMemoryIsBounded(t *testing.T) {
	g := &gated{gate: make(chan struct{}), takes: cost{cores: 1, memory: maxMemory/2 + 1}}
	s, _ := setOf(t, g, 8, 0)
	results := make(chan error, 6)
	for i := range 6 {
		go func() { results <- s.Check("jo", fmt.Sprint(i)) }()
	}
	for range 6 {
		g.gate <- struct{}{}
		<-results
	}
	if n := g.most.Load(); n != 1 {
		t.Errorf("%d at once, want 1", n)
	}
}

// Who is late leaves the queue, and those behind move up.
func TestLate(t *testing.T) {
	w := &Workers{cores: 1, patience: 10 * time.Millisecond}
	if err := w.enter(cost{}); err != nil {
		t.Fatal(err)
	}
	mine := &waiter{cost{cores: 1}, make(chan struct{})}
	w.waiting = append(w.waiting, mine)
	behind := make(chan error)
	go func() { behind <- w.enter(cost{}) }()
	if err := w.await(mine); !errors.Is(err, ErrLate) {
		t.Errorf("got %v", err)
	}
	w.leave(cost{})
	if err := <-behind; err != nil && !errors.Is(err, ErrLate) { // as late as the first, on a slow machine
		t.Errorf("behind: got %v", err)
	}
}

// A user that there is not is checked against some user's hash, the same each time.
func TestDecoys(t *testing.T) {
	var users []User
	for i := range 20 {
		users = append(users, User{fmt.Sprint("u", i), argonOf(fmt.Sprint(i))})
	}
	s, err := New(Options{Users: users, Workers: NewWorkers()})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[hash]bool{}
	for i := range 200 {
		name := fmt.Sprint("nobody", i)
		if s.decoy(name) != s.decoy(name) {
			t.Fatal("two decoys for a name")
		}
		seen[s.decoy(name)] = true
	}
	if len(seen) < 10 {
		t.Errorf("only %d decoys are used", len(seen))
	}
	if err := s.Check("nobody", "1"); !errors.Is(err, ErrWrong) || s.Stats().Hashed != 1 {
		t.Errorf("got %v after %d hashes", err, s.Stats().Hashed)
	}
}

func TestNewRefuses(t *testing.T) {
	if _, err := New(Options{}); err == nil {
		t.Error("no users are taken")
	}
	if _, err := New(Options{Users: []User{{"jo", "hunter2"}}}); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
}

// Many ask at once, of a small world.
func TestHammer(t *testing.T) {
	s, c := setOf(t, &gated{}, 2, time.Minute)
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			for j := range 200 {
				password := []string{"right", "wrong", fmt.Sprint("guess", j%5)}[(i+j)%3]
				err := s.Check("jo", password)
				if (password == "right") != (err == nil) && !errors.Is(err, ErrBusy) {
					t.Errorf("%s: got %v", password, err)
				}
				if j%50 == 0 {
					c.pass(11 * time.Second)
				}
			}
		})
	}
	wait.Wait()
}
