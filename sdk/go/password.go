package sallyport

import (
	"errors"

	"github.com/sallyport/sallyport/sdk/go/internal/host"
)

// ErrPending is what CheckPassword says while the password is being checked.
var ErrPending = errors.New("the password is being checked")

// CheckPassword returns nil if it is that user's password in [passwords.NAME] of gateway.toml, by the grant "passwords:NAME", and ErrInvalid if it
// is not, or if there is no such user. Unless the gateway remembers, it is slow to tell, and the answer is ErrPending: `return r.Wait()`, and ask
// the same in the hook that goes on. ErrUnavailable and ErrTimedOut when too many passwords wait to be checked; ErrTooLarge for more than 512
// bytes; ErrNotGranted. Request and response hooks only.
func CheckPassword(set, user, password string) error {
	err := failure(host.PasswordCheck(set, user, password))
	if err == ErrConflict {
		return ErrPending
	}
	return err
}
