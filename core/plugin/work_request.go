package plugin

import (
	"strings"
	"unsafe"

	"github.com/sallyport/sallyport/core/http1"
	"github.com/sallyport/sallyport/core/plugin/abi"
)

// borrow makes a string of the scratch room, which is used again by the next call.
func (h *hookCall) borrow(scratch []byte) string {
	h.scratch = scratch
	return unsafe.String(unsafe.SliceData(scratch), len(scratch))
}

// get returns a field of the exchange.
func (h *hookCall) get(field abi.Field) (string, abi.Code) {
	switch field {
	case abi.Method:
		return h.x.Req.Method, ok
	case abi.Scheme:
		return h.x.Req.Scheme, ok
	case abi.Host:
		return h.x.Req.Host, ok
	case abi.Path:
		return h.x.Req.Path, ok
	case abi.Query:
		return h.x.Req.Query, ok
	case abi.Protocol:
		return h.x.Req.Protocol.String(), ok
	case abi.ClientAddress:
		return h.address()
	case abi.Route:
		return orNotFound(h.x.Route)
	case abi.RequestID:
		return orNotFound(h.x.ID)
	case abi.Consumer:
		return h.attrGet(abi.ConsumerAttr)
	case abi.Upstream:
		return orNotFound(h.x.Upstream)
	case abi.TraceID:
		return h.traceID()
	}
	return h.getTLS(field)
}

func (h *hookCall) address() (string, abi.Code) {
	if !h.x.Addr.IsValid() {
		return "", abi.NotFound
	}
	return h.borrow(h.x.Addr.AppendTo(h.scratch[:0])), ok
}

func (h *hookCall) traceID() (string, abi.Code) {
	if !h.x.Trace.IsOn() {
		return "", abi.NotFound
	}
	return h.borrow(h.x.Trace.Trace.AppendTo(h.scratch[:0])), ok
}

func (h *hookCall) getTLS(field abi.Field) (string, abi.Code) {
	switch field {
	case abi.TLSServerName:
		if h.x.TLS == nil {
			return "", abi.NotFound
		}
		return orNotFound(h.x.TLS.ServerName)
	case abi.TLSClientSubject:
		if h.x.TLS == nil || len(h.x.TLS.VerifiedChains) == 0 {
			return "", abi.NotFound // a certificate that nobody verified says nothing
		}
		return h.x.TLS.VerifiedChains[0][0].Subject.String(), ok
	}
	return "", abi.Invalid
}

func orNotFound(value string) (string, abi.Code) {
	if value == "" {
		return "", abi.NotFound
	}
	return value, ok
}

// set changes a field of the exchange.
func (h *hookCall) set(field abi.Field, value string) abi.Code {
	switch field {
	case abi.Host:
		return h.setHost(value)
	case abi.Path:
		return h.setPath(value)
	case abi.Query:
		return h.setQuery(value)
	case abi.Consumer:
		return h.attrSet(abi.ConsumerAttr, value)
	}
	return abi.Invalid
}

func (h *hookCall) setHost(host string) abi.Code {
	switch {
	case h.phase != abi.InRequest:
		return abi.WrongPhase
	case len(host) > abi.MaxHost:
		return abi.TooLarge
	case !validHost(host):
		return abi.Invalid
	}
	h.saved.keepRequest(h.x)
	h.x.Req.Host = h.copy(h.borrow(appendLower(h.scratch[:0], host)))
	return ok
}

func (h *hookCall) setPath(path string) abi.Code {
	switch {
	case h.phase != abi.InRequest:
		return abi.WrongPhase
	case len(path) > abi.MaxPath:
		return abi.TooLarge
	}
	canonical, valid := http1.CanonicalPath(path)
	switch {
	case !valid:
		return abi.Invalid
	case len(canonical) > abi.MaxPath:
		return abi.TooLarge
	}
	h.saved.keepRequest(h.x)
	h.x.Req.Path = h.copy(canonical)
	return ok
}

func (h *hookCall) setQuery(query string) abi.Code {
	switch {
	case h.phase != abi.InRequest:
		return abi.WrongPhase
	case len(query) > abi.MaxQuery:
		return abi.TooLarge
	case query != "" && !visible(query) || strings.IndexByte(query, '#') >= 0:
		return abi.Invalid
	}
	h.saved.keepRequest(h.x)
	h.x.Req.Query = h.copy(query)
	return ok
}

// param returns a path parameter, decoded.
func (h *hookCall) param(name string) (string, abi.Code) {
	if len(name) > abi.MaxName {
		return "", abi.TooLarge
	}
	value, found := h.x.Param(name)
	if !found {
		return "", abi.NotFound
	}
	if strings.IndexByte(value, '%') < 0 {
		return value, ok
	}
	return h.borrow(appendDecoded(h.scratch[:0], value, false)), ok
}

// query returns the first value of a query parameter, decoded.
func (h *hookCall) query(name string) (string, abi.Code) {
	if len(name) > abi.MaxName {
		return "", abi.TooLarge
	}
	for rest := h.x.Req.Query; rest != ""; {
		var pair string
		pair, rest, _ = strings.Cut(rest, "&")
		key, value, _ := strings.Cut(pair, "=")
		if pair != "" && h.decodeForm(key) == name {
			return h.decodeForm(value), ok
		}
	}
	return "", abi.NotFound
}

func (h *hookCall) decodeForm(s string) string {
	if !strings.ContainsAny(s, "%+") {
		return s
	}
	return h.borrow(appendDecoded(h.scratch[:0], s, true))
}
