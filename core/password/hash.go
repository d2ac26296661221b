package password

import (
	"errors"
	"strconv"
	"strings"
)

// hash is what a password is checked against. It may be used by many goroutines.
type hash interface {
	// matches computes the password's hash and compares in constant time. The password has at most MaxText bytes.
	matches(password []byte) bool
	cost() cost
}

// CheckHash says why a text cannot be used as a hash, if it cannot, and tells nothing of it. What lines of htpasswd, shadow and their like have
// can: bcrypt ($2a$, $2b$, $2y$), argon2id ($argon2id$), SHA-crypt ($5$, $6$) and PBKDF2 ($pbkdf2-sha256$, $pbkdf2-sha512$). What is weak is
// refused, and so is what costs so much that a few requests would keep the machine busy.
func CheckHash(text string) error {
	_, err := parse(text)
	return err
}

func parse(text string) (hash, error) {
	for _, kind := range []struct {
		prefix string
		parse  func(string) (hash, error)
	}{
		{"$2a$", parseBcrypt}, {"$2b$", parseBcrypt}, {"$2y$", parseBcrypt},
		{"$argon2id$", parseArgon2},
		{"$5$", parseSHACrypt}, {"$6$", parseSHACrypt},
		{"$pbkdf2-sha256$", parsePBKDF2}, {"$pbkdf2-sha512$", parsePBKDF2},
	} {
		if strings.HasPrefix(text, kind.prefix) {
			return kind.parse(text)
		}
	}
	return nil, refusal(text)
}

// refusal says why a text is not taken for a hash.
func refusal(text string) error {
	for _, weak := range []struct{ prefix, reason string }{
		{"$apr1$", "MD5 ($apr1$) is refused: a graphics card tries millions a second"},
		{"$1$", "MD5 ($1$) is refused: a graphics card tries millions a second"},
		{"{SHA}", "SHA-1 without salt ({SHA}) is refused: a graphics card tries billions a second"},
		{"{SSHA}", "SHA-1 ({SSHA}) is refused: a graphics card tries billions a second"},
		{"$2x$", "bcrypt $2x$ comes of a program with an error: hash the password anew"},
		{"$2$", "bcrypt $2$ is older than 2010: hash the password anew"},
		{"$argon2i$", "argon2i is refused: argon2id is the one for passwords (RFC 9106)"},
		{"$argon2d$", "argon2d is refused: argon2id is the one for passwords (RFC 9106)"},
		{"$", "a hash of a kind that is not known"},
	} {
		if strings.HasPrefix(text, weak.prefix) {
			return errors.New(weak.reason + known)
		}
	}
	if isDES(text) {
		return errors.New("this is plain text, or DES, of which only 8 characters count: both are refused" + known)
	}
	return errors.New("no hash: plain text is refused" + known)
}

const known = "; take bcrypt (htpasswd -B), argon2id, SHA-crypt ($5$, $6$) or PBKDF2"

// isDES reports whether a text may be crypt's oldest kind.
func isDES(text string) bool {
	for i := range len(text) {
		c := text[i] | 0x20
		if (c < 'a' || c > 'z') && (text[i] < '.' || text[i] > '9') {
			return false
		}
	}
	return len(text) == 13
}

// number reads NAME=123, without sign and leading zeros, from least to most.
func number(text, name string, least, most int) (int, error) {
	digits, named := strings.CutPrefix(text, name+"=")
	n, err := strconv.Atoi(digits)
	switch {
	case !named || err != nil || strconv.Itoa(n) != digits:
		return 0, errors.New("a malformed hash: " + name + " is missing or no number")
	case n < least || n > most:
		return 0, errors.New(name + " must be from " + strconv.Itoa(least) + " to " + strconv.Itoa(most))
	}
	return n, nil
}

var errMalformed = errors.New("a malformed hash")
