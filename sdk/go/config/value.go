// Package config reads a plugin's configuration, a JSON object, strictly: what the plugin does not read is an error, and
// every error begins with a JSON pointer, which the gateway turns into a place in gateway.toml.
//
//	err := config.Read(raw, func(key string, v *config.Value) error {
//		switch key {
//		case "header":
//			return v.String(&p.header)
//		case "limit":
//			return v.Int(&p.limit, 1, 1000)
//		}
//		return nil // a value left unread is refused: "/limti is not a known key"
//	})
//
// It is a few KB under TinyGo, where encoding/json is two hundred.
package config

import (
	"errors"
	"strconv"
	"unsafe"
)

// Read reads a JSON object and calls member for each of its keys, in order. An error of member is given the key's
// place; a value that member did not read is an error. The strings that are read point into raw, which must not be
// changed afterwards.
func Read(raw []byte, member func(key string, v *Value) error) error {
	in := &input{text: unsafe.String(unsafe.SliceData(raw), len(raw))}
	v := &Value{in: in}
	if err := v.Object(member); err != nil {
		return err
	}
	if in.next() != 0 {
		return errNotJSON
	}
	return nil
}

// Value is one value of the configuration. It is read by one call of String, Strings, Bool, Int, Object, Array or Skip, within
// the function that it was given to.
type Value struct {
	in   *input
	read bool
}

// IsBool reports whether the value is true or false: for keys that take something else as well.
func (v *Value) IsBool() bool {
	c := v.in.next()
	return c == 't' || c == 'f'
}

// String reads a string.
func (v *Value) String(dst *string) error {
	if v.in.next() != '"' {
		return errors.New("must be a string")
	}
	v.read = true
	s, err := v.in.quoted()
	if err == nil {
		*dst = s
	}
	return err
}

// Strings appends the strings of an array to dst.
func (v *Value) Strings(dst *[]string) error {
	return v.Array(func(item *Value) error {
		var s string
		err := item.String(&s)
		*dst = append(*dst, s)
		return err
	})
}

// Bool reads true or false.
func (v *Value) Bool(dst *bool) error {
	word := v.in.word()
	if word != "true" && word != "false" {
		return errors.New("must be true or false")
	}
	v.read = true
	*dst = word == "true"
	return nil
}

// Int reads an integer from least to most.
func (v *Value) Int(dst *int, least, most int) error {
	n, ok := integer(v.in.word())
	if !ok || n < least || n > most {
		return errors.New("must be an integer from " + strconv.Itoa(least) + " to " + strconv.Itoa(most))
	}
	v.read = true
	*dst = n
	return nil
}

// Object reads an object and calls member for each of its keys, as Read does.
func (v *Value) Object(member func(key string, v *Value) error) error {
	if v.in.next() != '{' {
		return errors.New("must be a table")
	}
	v.read = true
	return v.in.items('}', func(int) error {
		key, err := v.in.key()
		if err != nil {
			return err
		}
		value := Value{in: v.in}
		err = member(key, &value)
		if err == nil && !value.read {
			err = errors.New("is not a known key")
		}
		return at(key, err)
	})
}

// Array reads an array and calls item for each of its values, as Read does for a table's keys.
func (v *Value) Array(item func(v *Value) error) error {
	if v.in.next() != '[' {
		return errors.New("must be an array")
	}
	v.read = true
	value := Value{in: v.in} // one for all: arrays can be long
	return v.in.items(']', func(i int) error {
		value.read = false
		err := item(&value)
		if err == nil && !value.read {
			err = errors.New("is not expected")
		}
		if err != nil {
			err = at(strconv.Itoa(i), err)
		}
		return err
	})
}

// Skip reads any value and forgets it: for JSON that is not the plugin's own, such as a token's claims.
func (v *Value) Skip() error {
	switch v.in.next() {
	case '{':
		return v.Object(func(_ string, member *Value) error { return member.Skip() })
	case '[':
		return v.Array((*Value).Skip)
	case '"':
		var s string
		return v.String(&s)
	}
	if v.in.word() == "" {
		return errNotJSON
	}
	v.read = true
	return nil
}
