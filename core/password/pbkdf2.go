package password

import (
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	stdhash "hash"
	"strings"
)

// Bounds of PBKDF2: some seconds of a core at most.
const (
	minIterations = 1000
	maxIterations = 2_000_000
)

type pbkdf2Hash struct {
	algorithm  func() stdhash.Hash
	iterations int
	salt, sum  []byte
}

// parsePBKDF2 reads $pbkdf2-sha256$29000$SALT$SUM as Python's passlib writes it: base64 with a dot for the plus, without padding.
func parsePBKDF2(text string) (hash, error) {
	parts := strings.Split(text, "$")
	if len(parts) != 5 {
		return nil, errMalformed
	}
	h := &pbkdf2Hash{algorithm: sha256.New}
	length := sha256.Size
	if parts[1] == "pbkdf2-sha512" {
		h.algorithm, length = sha512.New, sha512.Size
	}
	var err error
	if h.iterations, err = number("iterations="+parts[2], "iterations", minIterations, maxIterations); err != nil {
		return nil, err
	}
	h.salt, err = fromPasslib64(parts[3])
	if err != nil || len(h.salt) < 8 || len(h.salt) > 64 {
		return nil, errMalformed
	}
	if h.sum, err = fromPasslib64(parts[4]); err != nil || len(h.sum) != length {
		return nil, errMalformed
	}
	return h, nil
}

func fromPasslib64(s string) ([]byte, error) {
	if strings.Contains(s, "+") {
		return nil, errMalformed
	}
	return base64.RawStdEncoding.Strict().DecodeString(strings.ReplaceAll(s, ".", "+"))
}

func (h *pbkdf2Hash) matches(password []byte) bool {
	sum, err := pbkdf2.Key(h.algorithm, string(password), h.salt, h.iterations, len(h.sum))
	return err == nil && subtle.ConstantTimeCompare(sum, h.sum) == 1
}

func (h *pbkdf2Hash) cost() cost { return cost{cores: 1, memory: 4 << 10} }
