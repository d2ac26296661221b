package password

import (
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Bounds of argon2id: some seconds of a core at most.
const (
	maxArgonMemory = 256 << 10 // KiB
	maxArgonTime   = 16
	maxArgonWork   = 1 << 20 // KiB, over all passes
	maxArgonLanes  = 8
)

type argon2Hash struct {
	time, memory uint32 // passes, KiB
	lanes        uint8
	salt, sum    []byte
}

// parseArgon2 reads $argon2id$v=19$m=65536,t=3,p=4$SALT$SUM.
func parseArgon2(text string) (hash, error) {
	parts := strings.Split(text, "$")
	if len(parts) != 6 || parts[2] != "v=19" {
		return nil, errors.New("a malformed hash: argon2id is written $argon2id$v=19$m=…,t=…,p=…$SALT$HASH")
	}
	params := strings.Split(parts[3], ",")
	if len(params) != 3 {
		return nil, errMalformed
	}
	memory, err1 := number(params[0], "m", 8, maxArgonMemory)
	time, err2 := number(params[1], "t", 1, maxArgonTime)
	lanes, err3 := number(params[2], "p", 1, maxArgonLanes)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, errors.New("argon2id: " + strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	salt, err1 := base64.RawStdEncoding.Strict().DecodeString(parts[4])
	sum, err2 := base64.RawStdEncoding.Strict().DecodeString(parts[5])
	switch {
	case memory*time > maxArgonWork:
		return nil, errors.New("argon2id: m times t must be at most 1048576: more takes seconds")
	case memory < 8*lanes || errors.Join(err1, err2) != nil || len(salt) < 8 || len(salt) > 64 || len(sum) < 16 || len(sum) > 64:
		return nil, errMalformed
	}
	return &argon2Hash{uint32(time), uint32(memory), uint8(lanes), salt, sum}, nil
}

func (h *argon2Hash) matches(password []byte) bool {
	sum := argon2.IDKey(password, h.salt, h.time, h.memory, h.lanes, uint32(len(h.sum)))
	return subtle.ConstantTimeCompare(sum, h.sum) == 1
}

func (h *argon2Hash) cost() cost { return cost{cores: int(h.lanes), memory: int(h.memory) << 10} }
