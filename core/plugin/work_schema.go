package plugin

import (
	"errors"

	"github.com/sallyport/sallyport/core/plugin/abi"
)

// costCheck is what it costs to have a document checked beside the work itself, in units of fuel.
const costCheck = 2_000

// schema returns a granted schema by name; data is checked on the way.
func (h *hookCall) schema(name string, data []byte) (Schema, abi.Code) {
	if len(name) > abi.MaxName || len(data) > abi.MaxBody {
		return nil, abi.TooLarge
	}
	s := h.grants.Schemas[name]
	if s == nil {
		return nil, abi.NotGranted
	}
	return s, ok
}

// check is the result of a schema's check, as a plugin gets it.
func check(s Schema, document []byte, allowed int64) (wrong string, work int64, code abi.Code) {
	wrong, work, err := s.Check(document, allowed)
	var large interface{ TooLarge() bool }
	switch {
	case err == nil:
		return wrong, work, ok
	case errors.As(err, &large) && large.TooLarge():
		return "", work, abi.TooLarge
	}
	return "", work, abi.Unavailable
}

func hostSchemaCheck(c *call, a args) int64 {
	name, document, buf := a.text(0), a.region(3), a.region(5)
	fromMessage := abi.Message(a.u32(2)) != abi.NoMessage
	s, code := c.work.schema(name, document)
	if code == ok && fromMessage {
		var p part
		if p, code = a.message(2); code == ok {
			document, code = c.work.content(p)
		}
	}
	if code != ok {
		return int64(code)
	}
	// A guest must be able to say what is wrong: the rest of its fuel is for that.
	wrong, work, code := check(s, document, c.tank.left()/4*3)
	c.cost += costCheck + work
	return a.read(buf, wrong, code)
}
