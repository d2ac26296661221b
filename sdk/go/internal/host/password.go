//go:build !wasm && !tinygo.wasm

package host

const (
	maxPassword = 512
	maxChecks   = 16
)

// PasswordSet is what passwords are checked against.
type PasswordSet struct {
	Users map[string]string // passwords, by the user's name
	Busy  bool              // too many passwords wait to be checked
	Known bool              // answers at once, as a gateway does that remembers
}

// question is what a plugin has asked about a password.
type question struct{ set, user, password string }

// PasswordCheck is the host function password_check.
func PasswordCheck(set, user, password string) int32 {
	s := world().Passwords[set]
	switch {
	case !inHead():
		return wrongPhase
	case len(set) > maxName || len(user) > maxPassword || len(password) > maxPassword:
		return tooLarge
	case s == nil:
		return notGranted
	}
	if current.x.fetches == nil {
		current.x.begin()
	}
	if code := current.x.fetches.ask(question{set, user, password}, s.Known); code != 0 {
		return code
	}
	right, there := s.Users[user]
	switch {
	case s.Busy:
		return unavailable
	case !there || right != password:
		return invalid
	}
	return 0
}

// ask returns 0 if the answer is there, else a code.
func (f *fetches) ask(q question, known bool) int32 {
	for n, asked := range f.asked {
		switch {
		case asked != q:
		case n >= f.told:
			return conflict
		default:
			return 0
		}
	}
	switch {
	case known:
		return 0
	case len(f.asked) >= maxChecks:
		return tooLarge
	}
	f.asked, f.started = append(f.asked, q), true
	return conflict
}
