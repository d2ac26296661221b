package main

import (
	"errors"

	"github.com/sallyport/sallyport/sdk/go/config"
)

// rules are the filter's config table.
type rules struct {
	allow, deny set
	allowed     bool // there is an allow list: who is not on it is refused
	status      int
}

func readRules(raw []byte) (*rules, error) {
	r := &rules{status: 403}
	denied := false
	err := config.Read(raw, func(key string, v *config.Value) error {
		switch key {
		case "allow":
			r.allowed = true
			return readSet(v, &r.allow)
		case "deny":
			denied = true
			return readSet(v, &r.deny)
		case "status":
			return v.Int(&r.status, 400, 599)
		}
		return nil
	})
	if err == nil && !r.allowed && !denied {
		err = errors.New("must have an allow list, a deny list, or both")
	}
	return r, err
}

// pass says whether an address may: deny beats allow.
func (r *rules) pass(client network) bool {
	return !r.deny.contains(client) && (!r.allowed || r.allow.contains(client))
}

// readSet reads a list of addresses and networks. An empty one is refused: it would either mean nothing, or lock
// everybody out.
func readSet(v *config.Value, s *set) error {
	entries := 0
	var text string
	err := v.Array(func(v *config.Value) error {
		entries++
		if err := v.String(&text); err != nil {
			return err
		}
		network, err := readNetwork(text)
		if err == nil {
			s.add(network)
		}
		return err
	})
	if err == nil && entries == 0 {
		err = errors.New("must not be empty")
	}
	s.finish()
	return err
}
