package main

import (
	"io"
	"strings"
)

// printable writes text to a terminal without the characters that it would obey: what a plugin, a client or an answer has said may hold them.
type printable struct{ to io.Writer }

// Write is part of io.Writer. No character is split between two calls.
func (p printable) Write(text []byte) (int, error) {
	shown := strings.Map(func(c rune) rune {
		if c < ' ' && c != '\n' && c != '\t' || c >= 0x7f && c <= 0x9f {
			return '\ufffd'
		}
		return c
	}, string(text))
	if _, err := io.WriteString(p.to, shown); err != nil {
		return 0, err
	}
	return len(text), nil
}
