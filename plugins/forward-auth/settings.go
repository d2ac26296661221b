package main

import (
	"errors"
	"strings"

	"github.com/sallyport/sallyport/plugins/internal/field"
	"github.com/sallyport/sallyport/plugins/internal/identity"
	"github.com/sallyport/sallyport/plugins/internal/setting"
	"github.com/sallyport/sallyport/plugins/internal/sha256"
	"github.com/sallyport/sallyport/sdk/go"
	"github.com/sallyport/sallyport/sdk/go/config"
)

// settings are the filter's config table, and what a look at a request works with: an instance has one at a time.
type settings struct {
	upstream, method, path, authority string
	timeout                           int // in milliseconds
	send                              []string
	add                               []sallyport.Header
	take, pass                        []string
	consumer, groups                  string // headers of the answer
	body                              bool

	keepAllowed, keepDenied int // in seconds
	cacheBy                 []string
	parts                   [len(partNames)]bool
	keyHeaders              []string
	digest                  sha256.Digest // of the configuration
	scratch                 []byte

	guard identity.Guard
	visit func(name, value []byte) bool
}

// partNames are what the service decides by beside headers; partFields are the fields of the same numbers.
var partNames = [...]string{"client", "method", "scheme", "host", "path", "query"}

var partFields = [...]sallyport.Field{sallyport.FieldClientAddress, sallyport.FieldMethod, sallyport.FieldScheme, sallyport.FieldHost,
	sallyport.FieldPath, sallyport.FieldQuery}

func readSettings(raw []byte) (*settings, error) {
	s := &settings{
		method: "GET", path: "/", timeout: 1000, body: true, digest: sha256.Sum(string(raw)), send: []string{"Authorization", "Cookie"},
		pass: []string{"WWW-Authenticate", "Location", "Set-Cookie", "Retry-After", "Content-Type", "Cache-Control"},
	}
	s.visit = func(name, _ []byte) bool {
		s.guard.See(name)
		return true
	}
	err := config.Read(raw, s.read)
	if err == nil {
		err = s.complete()
	}
	return s, err
}

func (s *settings) read(key string, v *config.Value) error {
	switch key {
	case "upstream":
		return setting.Granted(v, &s.upstream, "fetch")
	case "method":
		return s.readMethod(v)
	case "path":
		return s.readPath(v)
	case "authority":
		return readText(v, &s.authority, "/?#@ ", "must be a host, perhaps with a port")
	case "timeout_ms":
		return v.Int(&s.timeout, 1, 60_000)
	case "send":
		return readHeaders(v, &s.send, "is set by the plugin itself", isForwarded)
	case "add":
		return v.Object(s.readAdded)
	case "take":
		return readHeaders(v, &s.take, "is set by the options consumer and groups", isIdentity)
	case "pass":
		return readHeaders(v, &s.pass, "", func(string) bool { return false })
	case "consumer":
		return field.ReadName(v, &s.consumer)
	case "groups":
		return field.ReadName(v, &s.groups)
	case "body":
		return v.Bool(&s.body)
	case "cache_seconds":
		return readKeep(v, &s.keepAllowed)
	case "cache_denied_seconds":
		return readKeep(v, &s.keepDenied)
	case "cache_by":
		s.cacheBy = []string{}
		return v.Strings(&s.cacheBy)
	}
	return nil
}

func (s *settings) complete() error {
	if s.upstream == "" {
		return errors.New(`/upstream must name the service: the grant "fetch:NAME" without "fetch:"`)
	}
	if s.groups != "" && s.consumer == "" {
		return errors.New("/groups must go with consumer: nobody has groups")
	}
	s.guard.Names = append(s.guard.Names, s.take...)
	for _, name := range [...]string{s.consumer, s.groups} {
		if name != "" {
			s.guard.Names = append(s.guard.Names, name)
		}
	}
	return s.chooseKey()
}

// chooseKey finds what decisions are kept by: all that the service is told, unless cache_by says less.
func (s *settings) chooseKey() error {
	if s.cacheBy == nil {
		for i := range s.parts {
			s.parts[i] = true
		}
		s.keyHeaders = s.send
		return nil
	}
	if len(s.cacheBy) == 0 {
		return errors.New("/cache_by must not be empty: one decision would be everybody's")
	}
	for _, by := range s.cacheBy {
		found := false
		for i, name := range partNames {
			if by == name {
				s.parts[i], found = true, true
			}
		}
		for _, name := range s.send {
			if !found && field.Equal(by, name) {
				s.keyHeaders, found = append(s.keyHeaders, name), true
			}
		}
		if !found {
			return errors.New("/cache_by must hold client, method, scheme, host, path, query and headers of send, not " + by)
		}
	}
	return nil
}

// readText reads visible ASCII without some characters.
func readText(v *config.Value, dst *string, without, form string) error {
	if err := v.String(dst); err != nil {
		return err
	}
	if *dst == "" || strings.ContainsAny(*dst, without) || !isVisible(*dst) {
		return errors.New(form)
	}
	return nil
}

// readKeep reads for how many seconds decisions are kept: in the plugin's own store.
func readKeep(v *config.Value, dst *int) error {
	if err := v.Int(dst, 0, 86_400); err != nil || *dst == 0 {
		return err
	}
	return setting.Need("kv")
}

func isVisible(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

func (s *settings) readMethod(v *config.Value) error {
	if err := v.String(&s.method); err != nil {
		return err
	}
	if !field.IsToken(s.method) || s.method == "CONNECT" {
		return errors.New("must be a method")
	}
	return nil
}

func (s *settings) readPath(v *config.Value) error {
	const form = "must begin with a slash, and be percent-encoded"
	if err := readText(v, &s.path, "#", form); err != nil {
		return err
	}
	if s.path[0] != '/' {
		return errors.New(form)
	}
	return nil
}

// isForwarded reports whether a header is one by which the plugin tells the service of the request, or of the identity that a client cannot tell.
func isForwarded(name string) bool {
	for _, own := range [...]string{"X-Forwarded-Method", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Uri", "X-Forwarded-For"} {
		if field.Alike(name, own) {
			return true
		}
	}
	return isIdentity(name)
}

func isIdentity(name string) bool {
	return field.Alike(name, identity.Header) || field.Alike(name, identity.GroupsHeader)
}

// readHeaders reads names of headers, and refuses those that are somebody else's.
func readHeaders(v *config.Value, dst *[]string, reason string, taken func(name string) bool) error {
	*dst = []string{}
	return v.Array(func(item *config.Value) error {
		var name string
		err := field.ReadName(item, &name)
		switch {
		case err != nil:
		case field.Belongs(name):
			err = errors.New("cannot be copied: it belongs to the connection")
		case taken(name):
			err = errors.New(reason)
		}
		*dst = append(*dst, name)
		return err
	})
}

// readAdded reads a header that every question has.
func (s *settings) readAdded(name string, v *config.Value) error {
	h := sallyport.Header{Name: name}
	if err := v.String(&h.Value); err != nil {
		return err
	}
	if !field.IsToken(name) || field.Belongs(name) || isForwarded(name) {
		return errors.New("must have the name of a header that is not the gateway's")
	}
	if !field.IsValue(h.Value) {
		return errors.New("must have no control characters, and no spaces at its ends")
	}
	s.add = append(s.add, h)
	return nil
}
