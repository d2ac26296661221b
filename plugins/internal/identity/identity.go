// Package identity tells filters, log and upstream who the client is, and takes away what clients say of that themselves.
package identity

import (
	"errors"

	"github.com/sallyport/sallyport/plugins/internal/field"
	"github.com/sallyport/sallyport/sdk/go"
	"github.com/sallyport/sallyport/sdk/go/config"
)

// Header tells the upstream who the client is. Whatever the client sends under this name, or one that begins with it, is taken
// away.
const Header = "X-Consumer"

// GroupsHeader tells the upstream the groups of the client, joined by commas; Groups is the attribute that tells filters.
const (
	GroupsHeader = "X-Consumer-Groups"
	Groups       = "groups"
)

// Guard finds the headers of a request that pretend to be the gateway's. The zero value guards Header and all below it.
type Guard struct {
	Names []string // more headers that are the gateway's
	found []string
}

// Begin forgets the request before.
func (g *Guard) Begin() { g.found = g.found[:0] }

// See looks at the name of one of the request's headers.
func (g *Guard) See(name []byte) {
	if g.forged(name) {
		g.found = append(g.found, string(name))
	}
}

func (g *Guard) forged(name []byte) bool {
	if field.Alike(name, Header) || field.Below(name, Header) {
		return true
	}
	for _, own := range g.Names {
		if field.Alike(name, own) {
			return true
		}
	}
	return false
}

// Strip takes away what See has found.
func (g *Guard) Strip(h sallyport.Headers) error {
	for _, name := range g.found {
		if err := h.Remove(name); err != nil {
			return err
		}
	}
	return nil
}

// Tell says who the client is, and its groups, joined by commas, if it has any.
func Tell(r *sallyport.Request, consumer, groups string) error {
	if err := r.SetConsumer(consumer); err != nil {
		return err
	}
	if err := r.Headers.Set(Header, consumer); err != nil || groups == "" {
		return err
	}
	return TellGroups(r, groups)
}

// TellGroups says what the client belongs to.
func TellGroups(r *sallyport.Request, groups string) error {
	if err := r.SetAttr(Groups, groups); err != nil {
		return err
	}
	return r.Headers.Set(GroupsHeader, groups)
}

// ReadConsumer reads the name of a consumer out of a configuration.
func ReadConsumer(v *config.Value, dst *string) error {
	if err := v.String(dst); err != nil {
		return err
	}
	if !visible(*dst) {
		return errors.New("must be visible ASCII")
	}
	if *dst == "" || len(*dst) > 256 {
		return errors.New("must have 1 to 256 characters")
	}
	return nil
}

// ReadGroups reads an array of groups and joins them.
func ReadGroups(v *config.Value, dst *string) error {
	*dst = ""
	return v.Array(func(item *config.Value) error {
		var group string
		if err := item.String(&group); err != nil {
			return err
		}
		if !IsGroup(group) || !visible(group) {
			return errors.New("must be visible ASCII without commas")
		}
		if *dst != "" {
			*dst += ","
		}
		*dst += group
		if len(*dst) > 4096 {
			return errors.New("makes the list longer than 4096 bytes")
		}
		return nil
	})
}

// IsGroup reports whether s can stand in a list that commas separate.
func IsGroup(s string) bool {
	for i := range len(s) {
		if s[i] == ',' {
			return false
		}
	}
	return s != "" && field.IsValue(s)
}

func visible(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
