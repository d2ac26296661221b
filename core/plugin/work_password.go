package plugin

import (
	"errors"
	"strings"

	"github.com/sallyport/sallyport/core/plugin/abi"
)

// costPassword is what it costs to ask about a password, in units of fuel, known or not.
const costPassword = 20_000

// passwordCheck is a password being checked in a goroutine of its own, or checked.
type passwordCheck struct {
	set, user, password string
	done                chan struct{}
	verdict             error // when done
}

func (c *passwordCheck) run(set PasswordSet) {
	defer close(c.done)
	c.verdict = set.Check(c.user, c.password)
}

func (c *passwordCheck) pending() bool {
	select {
	case <-c.done:
		return false
	default:
		return true
	}
}

// code is what the plugin is told.
func (c *passwordCheck) code() abi.Code {
	if c.pending() {
		return abi.Conflict
	}
	return verdictCode(c.verdict)
}

func verdictCode(verdict error) abi.Code {
	if errors.Is(verdict, ErrPasswordWrong) {
		return abi.Invalid
	}
	return outside(verdict)
}

// passwordCheck tells whether a password is the user's. What is not known is worked out beside the hook, which waits for it without its
// instance and asks again.
func (h *hookCall) passwordCheck(p *Pool, name, user, password string) abi.Code {
	if len(name) > abi.MaxName || len(user) > abi.MaxPassword || len(password) > abi.MaxPassword {
		return abi.TooLarge
	}
	set := p.grants.Passwords[name]
	if set == nil {
		return abi.NotGranted
	}
	if f := h.fetches(); f != nil {
		for _, one := range f.checks {
			if one.set == name && one.user == user && one.password == password {
				return one.code()
			}
		}
	}
	if verdict, known := set.Known(user, password); known {
		return verdictCode(verdict)
	}
	all := h.openFetches(p)
	if len(all.checks) >= abi.MaxChecks {
		return abi.TooLarge
	}
	one := &passwordCheck{strings.Clone(name), strings.Clone(user), strings.Clone(password), make(chan struct{}), nil}
	all.checks = append(all.checks, one)
	h.fetching = true
	go one.run(set)
	return abi.Conflict
}

func hostPasswordCheck(c *call, a args) int64 {
	set, user, password := a.text(0), a.text(2), a.text(4)
	c.cost += costPassword
	return int64(c.work.passwordCheck(c.pool, set, user, password))
}
