package config

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Secret is a text that must not be shown. However it is printed, logged or encoded, it reads "(secret)", or is an address at worst.
type Secret struct{ text *string }

// Reveal returns the text itself.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

const hidden = "(secret)"

// Format is part of fmt.Formatter, for every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) } // as fmt does, which has nobody to tell

// MarshalText is part of encoding.TextMarshaler, which encoding/json and log/slog look for.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// readNamedSecret reads a value of [secrets]. It is a secret also where it stands in the file itself.
func readNamedSecret(v value, _ string) Secret {
	s, ok := v.secretText("the secret")
	v.r.config.secrets[v.key] = true
	if ok && s == "" {
		v.fail("must not be empty")
	}
	return Secret{&s}
}

// tellsSecret reports whether the line at an offset of a file that is no valid TOML may hold a secret, so that the library's words
// for what it found there must not be repeated.
func tellsSecret(text string, offset int) bool {
	lines := strings.Split(text[:min(max(offset, 0), len(text))], "\n")
	table := ""
	for i, line := range lines {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") && i < len(lines)-1 {
			table = strings.Trim(line, "[] \t\"'")
		}
		if i == len(lines)-1 && hasSecrets(line) {
			return true
		}
	}
	return hasSecrets(table)
}

// hasSecrets reports whether a line that begins so, or a table of that name, may hold a secret.
func hasSecrets(name string) bool {
	kinds := []string{"secrets", "stores", "metrics", "otlp", "tracing", "passwords"}
	return slices.ContainsFunc(kinds, func(kind string) bool { return strings.HasPrefix(name, kind) })
}
