package main

import (
	"errors"
	"slices"
	"strconv"
	"strings"

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
		case "allow_lists":
			r.allowed = true
			return readLists(v, &r.allow)
		case "deny":
			denied = true
			return readSet(v, &r.deny)
		case "deny_lists":
			denied = true
			return readLists(v, &r.deny)
		case "status":
			return v.Int(&r.status, 400, 599)
		}
		return nil
	})
	if err == nil && !r.allowed && !denied {
		err = errors.New("must have an allow list, a deny list, or both")
	}
	r.allow.finish()
	r.deny.finish()
	return r, err
}

// refuses says why an address may not pass, or nothing: deny beats allow.
func (r *rules) refuses(client network) (why string) {
	switch {
	case r.deny.contains(client):
		return "The address is denied"
	case r.allowed && !r.allow.contains(client):
		return "The address is not among those that are allowed"
	}
	return ""
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
	return err
}

// readLists reads texts with an address or a network a line. What follows # or ; is a comment.
func readLists(v *config.Value, s *set) error {
	lists := 0
	err := v.Array(func(v *config.Value) error {
		lists++
		var text string
		if err := v.String(&text); err != nil {
			return err
		}
		return readLines(text, s)
	})
	if err == nil && lists == 0 {
		err = errors.New("must not be empty")
	}
	return err
}

func readLines(text string, s *set) error {
	before := s.len()
	text = strings.TrimPrefix(text, "\ufeff")
	s.v4 = slices.Grow(s.v4, strings.Count(text, "\n")+1) // most are: to grow again and again costs a guest more than all the rest
	for number := 1; text != ""; number++ {
		var line string
		line, text, _ = strings.Cut(text, "\n")
		if line = entry(line); line == "" {
			continue
		}
		n, err := readNetwork(line)
		if err != nil {
			return errors.New("line " + strconv.Itoa(number) + " " + err.Error())
		}
		s.add(n)
	}
	if s.len() == before {
		return errors.New("must hold an address or a network, one a line")
	}
	return nil
}

// entry returns what stands in a line without white space and comment. (Package strings would do, at twenty times the cost.)
func entry(line string) string {
	begin := 0
	for begin < len(line) && (line[begin] == ' ' || line[begin] == '\t') {
		begin++
	}
	end := begin
	for i := begin; i < len(line) && line[i] != '#' && line[i] != ';'; i++ {
		if c := line[i]; c != ' ' && c != '\t' && c != '\r' {
			end = i + 1
		}
	}
	return line[begin:end]
}
