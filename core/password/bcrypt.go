package password

import (
	"fmt"
	"strings"

	"golang.org/x/crypto/bcrypt"
)

// maxBcrypt is the dearest cost: about two seconds of a core.
const maxBcrypt = 15

// bcryptBytes is how much of a password bcrypt looks at.
const bcryptBytes = 72

// bcryptHash is a hash as the library takes it.
type bcryptHash []byte

func parseBcrypt(text string) (hash, error) {
	const length = 60
	work, err := bcrypt.Cost([]byte(text))
	switch {
	case err != nil || len(text) != length || !isBcrypt64(text[7:]):
		return nil, errMalformed
	case work > maxBcrypt:
		return nil, fmt.Errorf("bcrypt's cost must be at most %d: each more takes twice as long", maxBcrypt)
	}
	return bcryptHash(text), nil
}

// isBcrypt64 reports whether all of s is in bcrypt's own alphabet.
func isBcrypt64(s string) bool {
	return strings.Trim(s, "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") == ""
}

// matches never takes a password for right of which bcrypt would look at the beginning only.
func (h bcryptHash) matches(password []byte) bool {
	same := bcrypt.CompareHashAndPassword(h, password[:min(len(password), bcryptBytes)]) == nil
	return same && len(password) <= bcryptBytes
}

func (bcryptHash) cost() cost { return cost{cores: 1, memory: 8 << 10} }
