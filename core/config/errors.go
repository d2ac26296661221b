package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Error is one thing that is wrong in a config file, at its place. Its text never holds a secret.
type Error struct {
	File    string `json:"file"`
	Line    int    `json:"line"` // from 1
	Col     int    `json:"col"`  // from 1, in characters
	Key     string `json:"key"`  // key path; "" for a fault of the file as a whole
	Message string `json:"message"`
}

// Error returns `FILE:LINE:COL: KEY: message`.
func (e Error) Error() string {
	if e.Key == "" {
		return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Col, e.Message)
	}
	return fmt.Sprintf("%s:%d:%d: %s: %s", e.File, e.Line, e.Col, e.Key, e.Message)
}

// Errors is all that is wrong in a config file. Load and Parse sort it by place.
type Errors []Error

// Error returns the errors, one per line.
func (list Errors) Error() string {
	lines := make([]string, len(list))
	for i, e := range list {
		lines[i] = e.Error()
	}
	return strings.Join(lines, "\n")
}

// sort orders by place, and drops what was found twice.
func (list Errors) sort() Errors {
	slices.SortFunc(list, func(a, b Error) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col),
			cmp.Compare(a.Key, b.Key), cmp.Compare(a.Message, b.Message))
	})
	return slices.Compact(list)
}

// At returns the place of a key, or of its nearest ancestor that stands in the file. Key paths look like
// `routes[0].filters[1].config.audience`; names that are no bare keys of TOML are quoted as Go strings are.
func (c *Config) At(key string) Place {
	if c.index != nil {
		return c.index.at(key)
	}
	return c.places.at(key)
}

// Errorf returns an Error at the place of key, for faults that are found while the config is built.
func (c *Config) Errorf(key, format string, args ...any) Error {
	place := c.At(key)
	return Error{File: c.File, Line: place.Line, Col: place.Col, Key: key, Message: fmt.Sprintf(format, args...)}
}
