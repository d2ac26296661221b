// Package filter holds the native filters: the few steps of a chain that belong in the hot path and not in a plugin.
package filter

import (
	"strings"

	"github.com/sallyport/sallyport/core/chain"
	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/header"
)

// HeaderEdit changes the fields of a message: first Remove, then Set, then Add. Names and values must be valid.
type HeaderEdit struct {
	Set, Add []header.Field
	Remove   []string
}

// Headers is the native filter that edits fields.
type Headers struct {
	request, response HeaderEdit
	host              string // what the request's Host becomes, "" to leave it
	hooks             chain.Hooks
}

// NewHeaders returns a filter that edits requests and responses.
func NewHeaders(request, response HeaderEdit) *Headers {
	h := &Headers{request: request, response: response}
	h.request.Set = nil
	for _, field := range request.Set { // Host is not among a request's fields
		if header.EqualName(field.Name, "Host") {
			h.host = strings.ToLower(field.Value)
			continue
		}
		h.request.Set = append(h.request.Set, field)
	}
	if h.host != "" || !h.request.empty() {
		h.hooks |= chain.OnRequest
	}
	if !h.response.empty() {
		h.hooks |= chain.OnResponse
	}
	return h
}

// Hooks asks only for the messages that there is something to do with.
func (h *Headers) Hooks() chain.Hooks { return h.hooks }

// Request edits the request's fields; it never fails.
func (h *Headers) Request(x *exchange.Exchange, _ int) (chain.Verdict, error) {
	h.request.apply(&x.Req.Fields)
	if h.host != "" {
		x.Req.Host = h.host
	}
	return chain.Continue, nil
}

// Response edits the response's fields; it never fails.
func (h *Headers) Response(x *exchange.Exchange, _ int) error {
	h.response.apply(&x.Resp.Fields)
	return nil
}

func (e *HeaderEdit) empty() bool { return len(e.Set)+len(e.Add)+len(e.Remove) == 0 }

func (e *HeaderEdit) apply(fields *header.Fields) {
	for _, name := range e.Remove {
		fields.Remove(name)
	}
	for _, field := range e.Set {
		fields.Set(field.Name, field.Value)
	}
	for _, field := range e.Add {
		fields.Add(field.Name, field.Value)
	}
}
