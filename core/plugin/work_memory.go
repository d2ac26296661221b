package plugin

import (
	"unsafe"

	"github.com/sallyport/sallyport/core/plugin/abi"
)

// stateGet returns what the filter keeps of this exchange.
func (h *hookCall) stateGet() string {
	state := *h.state()
	return unsafe.String(unsafe.SliceData(state), len(state))
}

// stateSet replaces what the filter keeps of this exchange.
func (h *hookCall) stateSet(data []byte) abi.Code {
	if len(data) > abi.MaxState {
		return abi.TooLarge
	}
	state := h.state()
	h.saved.keepState(*state)
	*state = append((*state)[:0], data...)
	return ok
}

// attrGet returns an attribute of the exchange.
func (h *hookCall) attrGet(name string) (string, abi.Code) {
	if len(name) > abi.MaxName {
		return "", abi.TooLarge
	}
	value, found := h.x.Attr(name)
	if !found {
		return "", abi.NotFound
	}
	return value, ok
}

// attrSet sets an attribute of the exchange.
func (h *hookCall) attrSet(name, value string) abi.Code {
	switch {
	case len(name) > abi.MaxName || len(value) > abi.MaxAttrValue:
		return abi.TooLarge
	case !visible(name) || !validValue(value):
		return abi.Invalid
	}
	_, there := h.x.Attr(name)
	if !there && len(h.x.Attrs()) >= abi.MaxAttrs {
		return abi.TooLarge
	}
	h.saved.keepAttrs(h.x)
	if !there {
		name = h.copy(name) // of an attribute that is there, the first setter's name stays
	}
	h.x.SetAttr(name, h.copy(value))
	return ok
}
