package main

import (
	"strings"

	"github.com/sallyport/sallyport/plugins/internal/claims"
	"github.com/sallyport/sallyport/plugins/internal/field"
	"github.com/sallyport/sallyport/plugins/internal/identity"
	"github.com/sallyport/sallyport/sdk/go"
)

// judge says what is wrong with the claims of a token that is genuine.
func (s *settings) judge(text string) refusal {
	if err := s.claims.Read(text); err != nil {
		return unusable
	}
	if len(s.issuers) > 0 && !s.holdsAny(s.issuer, s.issuers) {
		return otherIssuer
	}
	if len(s.audiences) > 0 && !s.holdsAny(s.audience, s.audiences) {
		return otherAudience
	}
	for _, number := range s.required {
		if _, ok := s.claims.Raw(number); !ok {
			return claimMissing
		}
	}
	for _, d := range s.demands {
		if !s.holdsAny(d.claim, d.values) {
			return claimDiffers
		}
	}
	if !s.hasScopes() {
		return scopeMissing
	}
	return fine
}

// holdsAny reports whether a claim, or one of its elements, is one of the values, which are written as JSON.
func (s *settings) holdsAny(number int, values []string) bool {
	found := false
	err := s.claims.Each(number, func(raw string) bool {
		if text, ok := claims.Text(raw); ok {
			raw = `"` + text
		}
		for _, want := range values {
			found = found || raw == want
		}
		return !found
	})
	return found && err == nil
}

func (s *settings) hasScopes() bool {
	for _, want := range s.scopes {
		has := s.hasScope(want)
		if has && s.anyScope {
			return true
		}
		if !has && !s.anyScope {
			return false
		}
	}
	return len(s.scopes) == 0 || !s.anyScope
}

// hasScope looks for a scope in lists that spaces separate (RFC 8693, section 4.2) and in arrays.
func (s *settings) hasScope(want string) bool {
	found := false
	for _, number := range s.scopeClaims {
		err := s.claims.Each(number, func(raw string) bool {
			text, ok := claims.Text(raw)
			for ok && text != "" && !found {
				var scope string
				scope, text, _ = strings.Cut(text, " ")
				found = scope == want
			}
			return !found
		})
		if err != nil {
			return false
		}
	}
	return found
}

// gather puts together what is to be told, before anything of the request is changed.
func (s *settings) gather() refusal {
	s.who, s.memberOf = "", ""
	ok := true
	if s.consumer >= 0 {
		raw, there := s.claims.Raw(s.consumer)
		s.who, ok = scalar(raw)
		ok = ok && there && s.who != "" && len(s.who) <= longest
	}
	if s.groups >= 0 && ok {
		s.memberOf, ok = s.list(s.groups)
		if raw, _ := s.claims.Raw(s.groups); ok && raw != "" && raw[0] != '[' { // one text with a comma would become two groups
			ok = s.memberOf == "" || identity.IsGroup(s.memberOf)
		}
	}
	for i := range s.told {
		if ok {
			s.told[i].value, ok = s.list(s.told[i].claim)
		}
	}
	if !ok {
		return unusable
	}
	return fine
}

// longest is the length of the longest value that an attribute can have, in bytes.
const longest = 4096

// list returns a claim as text, its elements joined by commas. What would be understood as something else, such as an element that
// holds a comma, makes it unusable.
func (s *settings) list(number int) (text string, ok bool) {
	raw, there := s.claims.Raw(number)
	if !there {
		return "", true
	}
	if raw[0] != '[' {
		text, ok = scalar(raw)
		return text, ok && len(text) <= longest
	}
	ok = true
	err := s.claims.Each(number, func(raw string) bool {
		var element string
		if element, ok = scalar(raw); !ok || !identity.IsGroup(element) {
			ok = false
			return false
		}
		if text != "" {
			text += ","
		}
		text += element
		return true
	})
	return text, ok && err == nil && len(text) <= longest
}

// scalar returns what a string, a number or a boolean says, if it can be a header's value.
func scalar(raw string) (text string, ok bool) {
	if raw == "" || raw[0] == '{' || raw[0] == '[' || raw == "null" {
		return "", false
	}
	text = raw
	if raw[0] == '"' {
		text, ok = claims.Text(raw)
		if !ok {
			return "", false
		}
	}
	return text, field.IsValue(text)
}

// tell says what was gathered to filters, log and upstream.
func (s *settings) tell(r *sallyport.Request) error {
	if s.who != "" {
		if err := identity.Tell(r, s.who, ""); err != nil {
			return err
		}
	}
	if s.memberOf != "" {
		if err := identity.TellGroups(r, s.memberOf); err != nil {
			return err
		}
	}
	for _, t := range s.told {
		if t.value == "" {
			continue
		}
		var err error
		if t.attribute {
			err = r.SetAttr(t.name, t.value)
		} else {
			err = r.Headers.Set(t.name, t.value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
