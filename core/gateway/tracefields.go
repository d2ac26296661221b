package gateway

import (
	"strings"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/header"
	"github.com/sallyport/sallyport/core/trace"
)

const (
	parentField  = "traceparent"
	stateField   = "tracestate"
	baggageField = "baggage"
)

// traceFields are the fields of a request that speak of traces.
type traceFields struct {
	parents, states, baggage int // how many
	parent                   string
	state                    trace.State
	badState                 bool
}

func (t *traceFields) look(f *header.Fields) {
	all := f.All()
	for i := range all {
		switch name := all[i].Name; len(name) {
		case len(parentField):
			if header.EqualName(name, parentField) {
				t.parents++
				t.parent = all[i].Value
			}
		case len(stateField):
			if header.EqualName(name, stateField) {
				t.states++
				t.badState = t.badState || !t.state.Add(all[i].Value)
			}
		case len(baggageField):
			if header.EqualName(name, baggageField) {
				t.baggage++
			}
		}
	}
}

// takeFields returns the client's place in a trace if the client is believed, and takes away what does not go upstream. Of several
// traceparents none counts; without one, a tracestate means nothing.
func (t *tracing) takeFields(x *exchange.Exchange) (parent trace.Context, ok bool) {
	var fields traceFields
	f := &x.Req.Fields
	fields.look(f)
	trusted := t.trustsAll || t.trustsProxy && x.Trusted
	if trusted && fields.parents == 1 {
		parent, ok = trace.ParseParent(fields.parent)
	}
	if fields.parents > 0 && !ok {
		f.Remove(parentField)
	}
	switch {
	case fields.states == 0:
	case !ok || fields.badState || fields.state.IsEmpty():
		f.Remove(stateField)
	case fields.states > 1:
		f.Set(stateField, joined(f, stateField))
	}
	if fields.baggage > 0 && (!trusted || t.dropsBaggage) {
		f.Remove(baggageField)
	}
	return parent, ok
}

// joined returns the values of a field that is a list.
func joined(f *header.Fields, name string) string {
	var values []string
	for _, field := range f.All() {
		if field.Value != "" && header.EqualName(field.Name, name) {
			values = append(values, field.Value)
		}
	}
	return strings.Join(values, ",")
}
