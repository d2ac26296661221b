package plugin

import (
	"errors"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport/sallyport/core/chain"
	"github.com/sallyport/sallyport/core/plugin/abi"
)

// onePassword is a set in which everybody's password is "right". It remembers nothing unless it says so, and answers when the gate is open.
type onePassword struct {
	gate  chan struct{}
	known bool
	err   error // instead of a verdict

	mu    sync.Mutex
	asked []string
}

func (o *onePassword) verdict(password string) error {
	if o.err == nil && password != "right" {
		return ErrPasswordWrong
	}
	return o.err
}

func (o *onePassword) Known(_, password string) (verdict error, known bool) {
	return o.verdict(password), o.known
}

func (o *onePassword) Check(user, password string) error {
	o.mu.Lock()
	o.asked = append(o.asked, user+":"+password)
	o.mu.Unlock()
	if o.gate != nil {
		<-o.gate
	}
	return o.verdict(password)
}

func (o *onePassword) count() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.asked)
}

// asking waits for the answers about some passwords, and asks again.
func asking(steps ...step) *script {
	return &script{hooks: abi.HookRequest, results: [3]int32{0, abi.ResultWait}, request: steps, resume: steps}
}

func passwordProbe(t *testing.T, s *script, sets map[string]PasswordSet) *Pool {
	t.Helper()
	return newProbeWith(t, s, Grants{Passwords: sets})
}

func TestPasswordCheck(t *testing.T) {
	ask := func(set, user, password string) step { return do("password_check", set, user, password) }
	long := strings.Repeat("a", abi.MaxPassword)
	busy, slow := &onePassword{err: errors.New("too many")}, &onePassword{err: os.ErrDeadlineExceeded}
	for _, tt := range []struct {
		name          string
		set           *onePassword
		step          step
		first, second string
	}{
		{"right", &onePassword{}, ask("main", "jo", "right"), "-8", "0"},
		{"wrong", &onePassword{}, ask("main", "jo", "wrong"), "-8", "-2"},
		{"longest", &onePassword{}, ask("main", long, long), "-8", "-2"},
		{"busy", busy, ask("main", "jo", "right"), "-8", "-7"},
		{"late", slow, ask("main", "jo", "right"), "-8", "-6"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := asking(tt.step)
			pool := passwordProbe(t, s, map[string]PasswordSet{"main": tt.set})
			if _, err := pool.Filter("test", chain.Deny).Request(newExchange(), 0); err != nil {
				t.Fatal(err)
			}
			if n := tt.set.count(); n != 1 {
				t.Errorf("checked %d times", n)
			}
			compare(t, s.outcomes(pool.idle[0]), []string{tt.first, tt.second})
		})
	}
}

func TestPasswordsThatNeedNoWait(t *testing.T) {
	ask := func(set, user, password string) step { return do("password_check", set, user, password) }
	s := &script{hooks: abi.HookRequest | abi.HookResponse, request: []step{
		ask("main", "jo", "right"), ask("main", "jo", "wrong"), ask("other", "jo", "right"), ask(strings.Repeat("a", 257), "", ""),
		ask("main", strings.Repeat("a", 513), ""), ask("main", "", strings.Repeat("a", 513)),
	}, configure: []step{ask("main", "jo", "right")}}
	pool := passwordProbe(t, s, map[string]PasswordSet{"main": &onePassword{known: true}})
	if _, err := pool.Filter("test", chain.Deny).Request(newExchange(), 0); err != nil {
		t.Fatal(err)
	}
	compare(t, s.outcomes(pool.idle[0]), []string{"-4", "0", "-2", "-3", "-5", "-5", "-5"})
}

func TestPasswordChecksAreBounded(t *testing.T) {
	var steps []step
	var want []string
	for i := range abi.MaxChecks + 1 {
		steps, want = append(steps, do("password_check", "main", "jo", strings.Repeat("a", i+1))), append(want, "-8")
	}
	want[abi.MaxChecks] = "-5"
	gate := make(chan struct{})
	set := &onePassword{gate: gate}
	s := &script{hooks: abi.HookRequest, request: steps}
	pool := passwordProbe(t, s, map[string]PasswordSet{"main": set})
	x := newExchange()
	if _, err := pool.Filter("test", chain.Deny).Request(x, 0); err != nil {
		t.Fatal(err)
	}
	compare(t, s.outcomes(pool.idle[0]), want)
	exchanges.Put(x) // ends while they are under way
	close(gate)
	until(t, "all are checked", func() bool { return set.count() == abi.MaxChecks })
}

// A copy that waits for a password serves others.
func TestPasswordsHoldNoInstance(t *testing.T) {
	set := &onePassword{gate: make(chan struct{})}
	s := asking(do("password_check", "main", "jo", "right"))
	pool := passwordProbe(t, s, map[string]PasswordSet{"main": set}) // of one instance at most
	filter := pool.Filter("test", chain.Deny)
	const many = 20
	results := make(chan error, many)
	for range many {
		go func() { _, err := filter.Request(newExchange(), 0); results <- err }()
	}
	until(t, "all are being checked", func() bool { return set.count() == many })
	if got := pool.Stats(); got.Instances != 1 || got.Waiting != 0 {
		t.Errorf("stats are %+v", got)
	}
	close(set.gate)
	for range many {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
}
