package password

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// ReadFile reads the lines of an htpasswd file: NAME:HASH, comments that begin with #, and empty lines. What follows a second colon, as in
// shadow, is refused. The error tells every line that is wrong and why, and nothing that is in it.
func ReadFile(text string) ([]User, []LineError) {
	var users []User
	var wrong []LineError
	seen := map[string]int{}
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimRight(line, "\r\n")
		if line == "" || line[0] == '#' {
			continue
		}
		name, hash, _ := strings.Cut(line, ":")
		err := checkLine(name, hash)
		if before := seen[name]; err == nil && before > 0 {
			err = fmt.Errorf("the user is in line %d already", before)
		}
		if err != nil {
			wrong = append(wrong, LineError{number, err})
			continue
		}
		seen[name] = number
		users = append(users, User{name, hash})
	}
	return users, wrong
}

// LineError is what is wrong with a line of a file.
type LineError struct {
	Line int // counted from 1
	Err  error
}

func checkLine(name, hash string) error {
	if err := CheckName(name); err != nil {
		return err
	}
	if strings.ContainsAny(hash, " \t:") {
		return fmt.Errorf("a line is NAME:HASH, with nothing behind it")
	}
	return CheckHash(hash)
}

// CheckName says what is wrong with a user's name, if anything (RFC 7617, section 2).
func CheckName(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("a user's name must not be empty")
	case len(name) > MaxText:
		return fmt.Errorf("a user's name has at most %d bytes", MaxText)
	case !utf8.ValidString(name):
		return fmt.Errorf("a user's name must be UTF-8")
	case strings.ContainsRune(name, ':') || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return fmt.Errorf("a user's name must hold no colon and no control character")
	case strings.TrimSpace(name) != name:
		return fmt.Errorf("a user's name must not begin or end with a space")
	}
	return nil
}
