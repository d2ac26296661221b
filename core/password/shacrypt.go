package password

import (
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	stdhash "hash"
	"strings"

	"github.com/go-crypt/x/crypt"
)

// Bounds of SHA-crypt. Fewer rounds than the least are taken for it, by crypt itself; more than the most take seconds.
const (
	minRounds     = 1000
	maxRounds     = 500_000
	defaultRounds = 5000
)

// shaCrypt is Drepper's crypt of 2007, as glibc has it.
type shaCrypt struct {
	algorithm func() stdhash.Hash
	salt, sum []byte
	rounds    int
}

// parseSHACrypt reads $5$SALT$SUM, $6$SALT$SUM, and those with rounds=5000$ before the salt.
func parseSHACrypt(text string) (hash, error) {
	h := &shaCrypt{algorithm: sha256.New, rounds: defaultRounds}
	length := 43
	if text[1] == '6' {
		h.algorithm, length = sha512.New, 86
	}
	parts := strings.Split(text, "$")[2:]
	if len(parts) == 3 {
		rounds, err := number(parts[0], "rounds", minRounds, maxRounds)
		if err != nil {
			return nil, err
		}
		h.rounds, parts = rounds, parts[1:]
	}
	if len(parts) != 2 || parts[0] == "" || len(parts[0]) > 16 || len(parts[1]) != length || !isBcrypt64(parts[1]) {
		return nil, errMalformed
	}
	h.salt, h.sum = []byte(parts[0]), []byte(parts[1])
	return h, nil
}

func (h *shaCrypt) matches(password []byte) bool {
	return subtle.ConstantTimeCompare(crypt.KeySHACrypt(h.algorithm, password, h.salt, h.rounds), h.sum) == 1
}

func (h *shaCrypt) cost() cost { return cost{cores: 1, memory: 8 << 10} }
