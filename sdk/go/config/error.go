package config

import (
	"errors"
	"strings"
)

// Error is what is wrong with a configuration, and where.
type Error struct {
	Pointer string // JSON pointer (RFC 6901); "" for the whole
	Err     error
}

// Error returns the pointer, a space and the message: the form in which the gateway finds the place.
func (e *Error) Error() string {
	if e.Pointer == "" {
		return e.Err.Error()
	}
	return e.Pointer + " " + e.Err.Error()
}

// Unwrap returns what is wrong.
func (e *Error) Unwrap() error { return e.Err }

var errNotJSON = errors.New("the configuration is not valid JSON")

// at puts a key or index before the place of an error.
func at(token string, err error) error {
	if err == nil {
		return nil
	}
	token = "/" + strings.ReplaceAll(strings.ReplaceAll(token, "~", "~0"), "/", "~1")
	if e, ok := err.(*Error); ok {
		return &Error{token + e.Pointer, e.Err}
	}
	return &Error{token, err}
}
