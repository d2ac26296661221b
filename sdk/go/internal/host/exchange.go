//go:build !wasm && !tinygo.wasm

package host

import (
	"maps"
	"slices"
	"strings"
)

// Phase is the moment of a plugin's life that decides what it may call.
type Phase uint8

// The phases.
const (
	Outside Phase = iota
	Configuring
	InRequest
	InResponse
	InRequestChunk
	InResponseChunk
	InEnd
)

// Field is one header field.
type Field struct {
	Name, Value string
}

// Fields are the headers of one message.
type Fields []Field

// Get returns the first value of a header, or "".
func (f Fields) Get(name string) string {
	for _, field := range f {
		if strings.EqualFold(field.Name, name) {
			return field.Value
		}
	}
	return ""
}

// Values returns every value of a header.
func (f Fields) Values(name string) (values []string) {
	for _, field := range f {
		if strings.EqualFold(field.Name, name) {
			values = append(values, field.Value)
		}
	}
	return values
}

// Set makes value the only one of a header, in the first one's place, else at the end.
func (f *Fields) Set(name, value string) {
	for i, field := range *f {
		if strings.EqualFold(field.Name, name) {
			(*f)[i] = Field{name, value}
			rest := (*f)[i+1:]
			rest.Remove(name)
			*f = append((*f)[:i+1], rest...)
			return
		}
	}
	f.Add(name, value)
}

// Add appends a header.
func (f *Fields) Add(name, value string) { *f = append(*f, Field{name, value}) }

// Remove deletes every header of that name and returns how many there were.
func (f *Fields) Remove(name string) int {
	kept := (*f)[:0]
	for _, field := range *f {
		if !strings.EqualFold(field.Name, name) {
			kept = append(kept, field)
		}
	}
	removed := len(*f) - len(kept)
	*f = kept
	return removed
}

// Exchange is one request and its answer, as a test prepares it and as the plugin leaves it.
type Exchange struct {
	World *World // what is granted; nil for nothing

	Method, Scheme, Host, Path, Query, Protocol string
	ClientAddress, Route, ID, Upstream          string
	TLSServerName, TLSClientSubject, TraceID    string

	Params      map[string]string
	Request     Fields
	RequestBody string // what the request hook of a plugin with Hooks.RequestBody finds
	Response    Fields
	Status      int    // of the response; 0 while there is none
	Body        string // of the response

	RequestTrailers, ResponseTrailers Fields

	State  []byte
	Attrs  map[string]string // the consumer is the attribute "consumer"
	Log    []string          // lines of all levels
	Number uint64

	fetches *fetches
}

// field returns a pointer to the value that a field number stands for, nil for unknown numbers.
func (x *Exchange) field(number int32) *string {
	fields := [...]*string{nil, &x.Method, &x.Scheme, &x.Host, &x.Path, &x.Query, &x.Protocol, &x.ClientAddress,
		&x.Route, &x.ID, nil, &x.Upstream, &x.TLSServerName, &x.TLSClientSubject, &x.TraceID}
	if number < 0 || int(number) >= len(fields) {
		return nil
	}
	return fields[number]
}

// Clone returns a copy that shares nothing with x but the fetches, which cannot be undone.
func (x *Exchange) Clone() *Exchange {
	x.begin()
	c := *x
	c.Params, c.Attrs = maps.Clone(x.Params), maps.Clone(x.Attrs)
	c.Request, c.Response = slices.Clone(x.Request), slices.Clone(x.Response)
	c.RequestTrailers, c.ResponseTrailers = slices.Clone(x.RequestTrailers), slices.Clone(x.ResponseTrailers)
	c.State, c.Log = slices.Clone(x.State), slices.Clone(x.Log)
	return &c
}
