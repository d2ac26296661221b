package jwt

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
)

// checkHead refuses heads that could be understood in two ways, and those with extensions that must be understood (RFC 7515, section 4.1.11).
func (k *Keys) checkHead(token string) error {
	head, _, ok := strings.Cut(token, ".")
	if !ok || strings.ContainsAny(token, "\r\n") { // line breaks, which can come in a query, base64 would skip
		return fmt.Errorf("%w: no token", ErrInvalid)
	}
	if last := k.lastHead.Load(); last != nil && *last == head {
		return nil
	}
	text, err := base64.RawURLEncoding.Strict().DecodeString(head)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	names, err := memberNames(text)
	if err != nil {
		return fmt.Errorf("%w: head: %w", ErrInvalid, err)
	}
	if names["crit"] || names["zip"] {
		return fmt.Errorf("%w: extensions in the head are not supported", ErrInvalid)
	}
	kept := strings.Clone(head)
	k.lastHead.Store(&kept)
	return nil
}

// memberNames returns the names of an object's members; one that comes twice is an error.
func memberNames(text []byte) (map[string]bool, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, fmt.Errorf("no object: %v", err)
	}
	names := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		name, _ := t.(string)
		if names[name] {
			return nil, fmt.Errorf("%q comes twice", name)
		}
		names[name] = true
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, err
		}
	}
	return names, nil
}
