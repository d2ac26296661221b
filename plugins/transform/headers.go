package main

import (
	"strings"

	"github.com/sallyport/sallyport/plugins/internal/field"
	"github.com/sallyport/sallyport/sdk/go"
)

// seeOdd notes the headers that many servers take for others: those with an underscore.
func (s *settings) seeOdd(h sallyport.Headers) {
	s.odd = s.odd[:0]
	h.Each(s.visitOdd)
}

func (s *settings) lookOdd(name, _ []byte) bool {
	for _, c := range name {
		if c == '_' {
			s.odd = append(s.odd, string(name))
			break
		}
	}
	return true
}

// headers does the steps, one after the other.
func (s *settings) headers(h sallyport.Headers, steps []step, c context) error {
	for i := range steps {
		if err := s.header(h, &steps[i], c); err != nil {
			return err
		}
	}
	return nil
}

func (s *settings) header(h sallyport.Headers, t *step, c context) error {
	switch t.op {
	case remove:
		return s.strip(h, t)
	case rename, duplicate:
		return s.carry(h, t)
	case fallback:
		if h.Has(t.name) {
			return nil
		}
	}
	s.scratch = t.value.expand(s.scratch[:0], c)
	value := strings.Trim(string(s.scratch), " ") // at its ends, no field's value has any
	switch {
	case t.op == add && value != "":
		return h.Add(t.name, value)
	case t.op == add:
		return nil
	}
	if err := s.stripOdd(h, t.name); err != nil {
		return err
	}
	if value == "" { // what the client sent must not pass for it
		return h.Remove(t.name)
	}
	return h.Set(t.name, value)
}

// carry moves or copies all values to another name, whose values they replace.
func (s *settings) carry(h sallyport.Headers, t *step) error {
	values := h.Values(t.name)
	if len(values) == 0 {
		return nil
	}
	if t.op == rename {
		if err := h.Remove(t.name); err != nil {
			return err
		}
	}
	if err := s.stripOdd(h, t.to); err != nil {
		return err
	}
	if err := h.Remove(t.to); err != nil {
		return err
	}
	for _, value := range values {
		if err := h.Add(t.to, value); err != nil {
			return err
		}
	}
	return nil
}

// strip takes away a header, or all that begin as it does.
func (s *settings) strip(h sallyport.Headers, t *step) error {
	if !t.below {
		if err := s.stripOdd(h, t.name); err != nil {
			return err
		}
		return h.Remove(t.name)
	}
	s.found = s.found[:0]
	h.Each(func(name, _ []byte) bool {
		if len(name) >= len(t.name) && field.Alike(name[:len(t.name)], t.name) {
			s.found = append(s.found, string(name))
		}
		return true
	})
	for _, name := range s.found {
		if err := h.Remove(name); err != nil {
			return err
		}
	}
	return nil
}

// stripOdd takes away what pretends to be a header of that name.
func (s *settings) stripOdd(h sallyport.Headers, name string) error {
	for _, odd := range s.odd {
		if field.Alike(odd, name) && !field.Equal(odd, name) {
			if err := h.Remove(odd); err != nil {
				return err
			}
		}
	}
	return nil
}
