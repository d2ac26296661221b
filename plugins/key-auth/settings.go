package main

import (
	"encoding/binary"
	"errors"
	"strings"

	"github.com/sallyport/sallyport/sdk/go"
	"github.com/sallyport/sallyport/sdk/go/config"
)

// settings are the filter's config table.
type settings struct {
	header string
	hide   bool
	keys   keys
	visit  func(name, value []byte) bool // s.look, made once
	found  findings                      // of the request at hand: an instance has one at a time
}

func readSettings(raw []byte) (*settings, error) {
	var seed [8]byte
	if err := sallyport.Random(seed[:]); err != nil {
		return nil, err
	}
	s := &settings{header: "X-Api-Key", hide: true, keys: newKeys(binary.LittleEndian.Uint64(seed[:]))}
	s.visit = s.look
	err := config.Read(raw, func(key string, v *config.Value) error {
		switch key {
		case "header":
			return readName(v, &s.header)
		case "hide":
			return v.Bool(&s.hide)
		case "keys":
			return v.Array(s.readKey)
		}
		return nil
	})
	if err == nil && s.keys.len() == 0 {
		err = errors.New("/keys must name at least one key")
	}
	return s, err
}

func readName(v *config.Value, dst *string) error {
	if err := v.String(dst); err != nil {
		return err
	}
	for _, c := range []byte(*dst) {
		if c <= ' ' || c > '~' || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0 {
			return errors.New("must be the name of a header")
		}
	}
	if *dst == "" {
		return errors.New("must not be empty")
	}
	return nil
}

// readKey reads one table of keys.
func (s *settings) readKey(v *config.Value) error {
	var plain, consumer string
	var hashed digest
	given := 0
	err := v.Object(func(key string, v *config.Value) error {
		switch key {
		case "key":
			given++
			return readPlain(v, &plain)
		case "key_sha256":
			given++
			return readDigest(v, &hashed)
		case "consumer":
			return readConsumer(v, &consumer)
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case given != 1:
		return errors.New("must have either key or key_sha256")
	case consumer == "":
		return errors.New("must have a consumer")
	case plain != "" && !s.keys.addPlain(plain, consumer), plain == "" && !s.keys.addDigest(hashed, consumer):
		return errors.New("has a key that was there before")
	}
	return nil
}

func readPlain(v *config.Value, dst *string) error {
	if err := v.String(dst); err != nil {
		return err
	}
	if *dst == "" || *dst != strings.TrimSpace(*dst) {
		return errors.New("must not be empty, nor begin or end with a space")
	}
	return nil
}

func readDigest(v *config.Value, dst *digest) error {
	var text string
	if err := v.String(&text); err != nil {
		return err
	}
	ok := len(text) == 2*len(dst)
	for i := 0; ok && i < len(text); i++ {
		nibble := strings.IndexByte("0123456789abcdef0123456789ABCDEF", text[i])
		ok = nibble >= 0
		dst[i/2] = dst[i/2]<<4 | byte(nibble&15)
	}
	if !ok {
		return errors.New("must be a SHA-256 as 64 hexadecimal digits")
	}
	return nil
}

func readConsumer(v *config.Value, dst *string) error {
	if err := v.String(dst); err != nil {
		return err
	}
	for _, c := range []byte(*dst) {
		if c <= ' ' || c > '~' {
			return errors.New("must be visible ASCII")
		}
	}
	if *dst == "" || len(*dst) > 256 {
		return errors.New("must have 1 to 256 characters")
	}
	return nil
}
