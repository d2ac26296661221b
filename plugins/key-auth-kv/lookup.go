package main

import (
	"errors"
	"strings"
	"time"

	"github.com/sallyport/sallyport/plugins/internal/identity"
	"github.com/sallyport/sallyport/plugins/internal/sha256"
	"github.com/sallyport/sallyport/sdk/go"
	"github.com/sallyport/sallyport/sdk/go/config"
)

// errUnknown says that a key is nobody's.
var errUnknown = errors.New("an unknown key")

// owner is whose a key is.
type owner struct {
	consumer, groups string
}

// places is how many answers of the store a copy of the plugin keeps. Each key has one place where it may be.
const places = 256

// answer is one that is kept until a point in time.
type answer struct {
	digest sha256.Digest
	whose  owner // without a consumer: nobody's
	until  int64
}

// find returns whose key has a digest, as the store has it or has had it just now.
func (s *settings) find(d sha256.Digest) (owner, error) {
	kept := &s.kept[d[0]]
	keeps := s.keepKnown > 0 || s.keepUnknown > 0
	if keeps && kept.until != 0 && kept.digest.Equal(&d) && sallyport.Now() < kept.until {
		return kept.result()
	}
	whose, err := s.ask(d)
	seconds := s.keepKnown
	if err == errUnknown {
		seconds = s.keepUnknown
	}
	if (err == nil || err == errUnknown) && seconds > 0 {
		kept.digest, kept.until = d, sallyport.Now()+int64(seconds)*int64(time.Second)
		kept.whose = owner{strings.Clone(whose.consumer), strings.Clone(whose.groups)} // they are parts of s.text
	}
	return whose, err
}

func (a *answer) result() (owner, error) {
	if a.whose.consumer == "" {
		return owner{}, errUnknown
	}
	return a.whose, nil
}

func (s *settings) ask(d sha256.Digest) (owner, error) {
	const hex = "0123456789abcdef"
	name := append(s.room[:0], s.prefix...)
	for _, c := range d {
		name = append(name, hex[c>>4], hex[c&15])
	}
	s.room = name
	text, err := sallyport.KV(s.store).Bytes(string(name))
	if err == sallyport.ErrNotFound {
		return owner{}, errUnknown
	}
	if err != nil {
		return owner{}, err
	}
	s.text = append(s.text[:0], text...) // the owner's names are parts of it, and calls that follow write over what they read
	whose, err := readOwner(s.text)
	if err != nil {
		sallyport.Log(sallyport.Warn, "the store has an entry that cannot be used: "+err.Error())
		return owner{}, errUnknown
	}
	return whose, nil
}

// readOwner reads an entry of the store. What is not understood may be a restriction: such a key is nobody's.
func readOwner(text []byte) (o owner, err error) {
	err = config.Read(text, func(key string, v *config.Value) error {
		switch key {
		case "consumer":
			return identity.ReadConsumer(v, &o.consumer)
		case "groups":
			return identity.ReadGroups(v, &o.groups)
		}
		return nil
	})
	if err == nil && o.consumer == "" {
		err = errors.New("it has no consumer")
	}
	if err != nil {
		return owner{}, err
	}
	return o, nil
}
