package gateway

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/sallyport/sallyport/core/config"
	"github.com/sallyport/sallyport/core/password"
	"github.com/sallyport/sallyport/core/plugin"
)

// maxPasswordFile is the most bytes that a file of users may have: some hundred thousand of them.
const maxPasswordFile = 16 << 20

// maxLineFaults is how many lines of a file are told of at once: a file of another kind has nothing but faults.
const maxLineFaults = 20

// passwordSet lets plugins have passwords checked.
type passwordSet struct {
	set *password.Set
}

// Known is part of plugin.PasswordSet.
func (p passwordSet) Known(user, text string) (verdict error, known bool) {
	verdict, known = p.set.Known(user, text)
	return translated(verdict), known
}

// Check is part of plugin.PasswordSet.
func (p passwordSet) Check(user, text string) error { return translated(p.set.Check(user, text)) }

// translated returns a verdict in the words of the plugin host.
func translated(verdict error) error {
	switch {
	case errors.Is(verdict, password.ErrWrong):
		return plugin.ErrPasswordWrong
	case errors.Is(verdict, password.ErrLate):
		return late{verdict}
	}
	return verdict
}

// late is an error of what has waited too long.
type late struct{ error }

// Timeout tells it from other errors.
func (late) Timeout() bool { return true }

// buildPasswords finds unchanged sets of passwords again, with what they remember. A set with another hash in it is another set.
func (b *builder) buildPasswords() {
	b.s.passwords = map[string]*password.Set{}
	for name, c := range b.cfg.Passwords {
		if set := b.takePasswords(name, c); set != nil {
			b.s.passwords[name] = set
		}
	}
}

// takePasswords finds or makes a set; nil if it cannot be, and then why is noted.
func (b *builder) takePasswords(name string, c config.Passwords) *password.Set {
	key := "passwords." + name
	before := len(b.wrong)
	users := b.passwordUsers(key, c)
	if len(b.wrong) > before {
		return nil
	}
	sum := sha256.New()
	for _, u := range users {
		fmt.Fprintf(sum, "%q %q\n", u.Name, u.Hash)
	}
	set, release, err := b.g.passwords.take(shelfKey("passwords", name, []any{c.CacheTTL, sum.Sum(nil)}), func() (*password.Set, error) {
		return password.New(password.Options{Users: users, Keep: c.CacheTTL, Workers: b.g.checkers})
	}, func(*password.Set) {})
	if err != nil {
		b.fault(key, "%v", err)
		return nil
	}
	b.s.releases = append(b.s.releases, release)
	return set
}

// passwordUsers collects the users of the table at key, and notes what is wrong with any.
func (b *builder) passwordUsers(key string, c config.Passwords) []password.User {
	users, place := b.readUsers(key+".file", c.File), map[string]bool{}
	for _, u := range users {
		place[u.Name] = true
	}
	for _, u := range c.Users {
		err := password.CheckName(u.Name)
		if err == nil {
			err = password.CheckHash(u.Hash.Reveal())
		}
		switch {
		case err != nil:
			b.fault(u.Key, "%v", err)
		case place[u.Name]:
			b.fault(u.Key, "the user is in the file already")
		}
		users = append(users, password.User{Name: u.Name, Hash: u.Hash.Reveal()})
	}
	return users
}

func (b *builder) readUsers(key, path string) []password.User {
	if path == "" {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		b.fault(key, "cannot read: %v", err)
		return nil
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxPasswordFile+1))
	switch {
	case err != nil:
		b.fault(key, "cannot read: %v", err)
		return nil
	case len(text) > maxPasswordFile:
		b.fault(key, "%s is larger than %d MiB", path, maxPasswordFile>>20)
		return nil
	}
	users, wrong := password.ReadFile(string(text))
	for i, line := range wrong {
		if i == maxLineFaults {
			b.fault(key, "%s: %d more lines are wrong", path, len(wrong)-i)
			break
		}
		b.fault(key, "%s:%d: %v", path, line.Line, line.Err)
	}
	if len(users)+len(wrong) == 0 {
		b.fault(key, "%s holds no user", path)
	}
	return users
}

// PasswordStatus is a picture of one set of passwords.
type PasswordStatus struct {
	Users   int   `json:"users"`
	Hashed  int64 `json:"hashed"`  // hashes computed: what was not remembered
	Refused int64 `json:"refused"` // checks not made, since too many waited
}

func (s *Snapshot) addPasswords(status *Status) {
	status.Passwords = map[string]PasswordStatus{}
	for name, set := range s.passwords {
		n := set.Stats()
		status.Passwords[name] = PasswordStatus{n.Users, n.Hashed, n.Refused}
	}
}
