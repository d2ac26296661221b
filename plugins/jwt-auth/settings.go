package main

import (
	"errors"

	"github.com/sallyport/sallyport/plugins/internal/claims"
	"github.com/sallyport/sallyport/plugins/internal/credential"
	"github.com/sallyport/sallyport/plugins/internal/field"
	"github.com/sallyport/sallyport/plugins/internal/identity"
	"github.com/sallyport/sallyport/plugins/internal/setting"
	"github.com/sallyport/sallyport/sdk/go/config"
)

// settings are the filter's config table, and what a look at a request works with: an instance has one at a time.
type settings struct {
	keys, realm string
	optional    bool
	shown       credential.Finder
	guard       identity.Guard
	visit       func(name, value []byte) bool // s.see, made once

	claims             claims.Reader
	issuers, audiences []string // as JSON strings without the closing quote, as those of demands
	issuer, audience   int      // numbers of claims, as all that follow
	required           []int
	demands            []demand
	scopes             []string
	scopeList          string
	anyScope           bool
	scopeClaims        []int
	consumer, groups   int // -1 for none
	told               []export

	who, memberOf string // of the request at hand
}

// demand is a claim that must have one of some values.
type demand struct {
	claim  int
	values []string
}

// export is a claim that is told as an attribute or a header.
type export struct {
	name      string
	attribute bool
	claim     int
	value     string // of the request at hand
}

func readSettings(raw []byte) (*settings, error) {
	s := &settings{groups: -1}
	s.consumer = s.claims.Want(claims.Path{"sub"})
	s.shown.Places = credential.Places{Header: "Authorization", Scheme: "Bearer", Hide: true}
	s.visit = s.see
	err := config.Read(raw, s.read)
	if err == nil {
		err = s.complete()
	}
	return s, err
}

func (s *settings) read(key string, v *config.Value) error {
	switch key {
	case "keys":
		return setting.Granted(v, &s.keys, "jwt")
	case "realm":
		return setting.Quotable(v, &s.realm)
	case "optional":
		return v.Bool(&s.optional)
	case "issuers":
		return readTexts(v, &s.issuers)
	case "audiences":
		return readTexts(v, &s.audiences)
	case "required":
		return s.readRequired(v)
	case "claims":
		return v.Object(s.readDemand)
	case "scopes", "scopes_match", "scope_claim":
		return s.readScopes(key, v)
	case "consumer", "groups", "headers", "attributes":
		return s.readExports(key, v)
	}
	return s.shown.Read(key, v)
}

// complete checks all together, and asks for the claims that are needed.
func (s *settings) complete() error {
	if s.keys == "" {
		return errors.New(`/keys must name the key set: the grant "jwt:NAME" without "jwt:"`)
	}
	if len(s.issuers) > 0 {
		s.issuer = s.claims.Want(claims.Path{"iss"})
	}
	if len(s.audiences) > 0 {
		s.audience = s.claims.Want(claims.Path{"aud"})
	}
	if len(s.scopes) > 0 && s.scopeClaims == nil {
		s.scopeClaims = []int{s.claims.Want(claims.Path{"scope"}), s.claims.Want(claims.Path{"scp"})}
	}
	return s.shown.Check()
}

// readTexts reads an array of texts, at least one.
func readTexts(v *config.Value, dst *[]string) error {
	*dst = nil
	err := v.Array(func(item *config.Value) error {
		var text string
		err := item.String(&text)
		if err == nil && text == "" {
			err = errors.New("must not be empty")
		}
		*dst = append(*dst, `"`+text)
		return err
	})
	if err == nil && len(*dst) == 0 {
		err = errors.New("must not be empty")
	}
	return err
}

func (s *settings) readClaim(v *config.Value, number *int) error {
	var text string
	if err := v.String(&text); err != nil {
		return err
	}
	return s.want(text, number)
}

func (s *settings) want(text string, number *int) error {
	path, ok := claims.ParsePath(text)
	if !ok {
		return errors.New("must be the name of a claim, or a JSON pointer to one within another")
	}
	*number = s.claims.Want(path)
	return nil
}

func (s *settings) readRequired(v *config.Value) error {
	return v.Array(func(item *config.Value) error {
		var number int
		err := s.readClaim(item, &number)
		s.required = append(s.required, number)
		return err
	})
}

// readDemand reads a claim and the value, or the values, of which it must have one.
func (s *settings) readDemand(name string, v *config.Value) error {
	d := demand{}
	if err := s.want(name, &d.claim); err != nil {
		return err
	}
	if v.IsBool() {
		var on bool
		err := v.Bool(&on)
		d.values = []string{map[bool]string{true: "true", false: "false"}[on]}
		s.demands = append(s.demands, d)
		return err
	}
	var one string
	err := v.String(&one)
	if err == nil {
		d.values = []string{`"` + one}
	} else if err = readTexts(v, &d.values); err != nil && d.values == nil {
		err = errors.New("must be a string, true, false, or an array of strings that is not empty")
	}
	s.demands = append(s.demands, d)
	return err
}

func (s *settings) readScopes(key string, v *config.Value) error {
	switch key {
	case "scopes":
		return v.Array(s.readScope)
	case "scope_claim":
		s.scopeClaims = make([]int, 1)
		return s.readClaim(v, &s.scopeClaims[0])
	}
	var match string
	if err := v.String(&match); err != nil {
		return err
	}
	s.anyScope = match == "any"
	if match != "any" && match != "all" {
		return errors.New(`must be "all" or "any"`)
	}
	return nil
}

// readScope reads a scope (RFC 6749, section 3.3).
func (s *settings) readScope(v *config.Value) error {
	var scope string
	if err := setting.Quotable(v, &scope); err != nil {
		return err
	}
	for i := range len(scope) {
		if scope[i] == ' ' {
			return errors.New("must be one scope: several are several strings")
		}
	}
	if scope == "" {
		return errors.New("must not be empty")
	}
	s.scopes = append(s.scopes, scope)
	if s.scopeList != "" {
		s.scopeList += " "
	}
	s.scopeList += scope
	return nil
}

func (s *settings) readExports(key string, v *config.Value) error {
	switch key {
	case "consumer":
		return s.readConsumer(v)
	case "groups":
		return s.readClaim(v, &s.groups)
	}
	return v.Object(func(name string, v *config.Value) error {
		e := export{name: name, attribute: key == "attributes"}
		if err := e.check(); err != nil {
			return err
		}
		if !e.attribute {
			s.guard.Names = append(s.guard.Names, name)
		}
		err := s.readClaim(v, &e.claim)
		s.told = append(s.told, e)
		return err
	})
}

func (s *settings) readConsumer(v *config.Value) error {
	if !v.IsBool() {
		return s.readClaim(v, &s.consumer)
	}
	var on bool
	err := v.Bool(&on)
	if err == nil && on {
		err = errors.New("must be the name of a claim, or false")
	}
	s.consumer = -1
	return err
}

// check refuses names that the gateway would not take, and those that other options are for.
func (e *export) check() error {
	if !field.IsToken(e.name) || len(e.name) > 256 {
		return errors.New("must have a name of visible ASCII, as headers have")
	}
	for _, name := range [...]string{"consumer", identity.Groups} {
		if e.attribute && e.name == name {
			return errors.New("has an option of its own, " + name)
		}
	}
	if !e.attribute && (field.Alike(e.name, identity.Header) || field.Alike(e.name, identity.GroupsHeader)) {
		return errors.New("is set by the options consumer and groups")
	}
	if !e.attribute && field.Belongs(e.name) {
		return errors.New("cannot be set: it belongs to the connection")
	}
	return nil
}
