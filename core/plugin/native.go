package plugin

import (
	"strings"

	"github.com/sallyport/sallyport/core/plugin/abi"
)

// nativeFunctions are the host functions of the module "sallyport" that this release offers: the decoding of their
// arguments, over the work in hookCall.
func nativeFunctions() map[string]hostFunction {
	return map[string]hostFunction{
		"config":        hostConfig,
		"fail":          hostFail,
		"log":           hostLog,
		"granted":       hostGranted,
		"get":           hostGet,
		"set":           hostSet,
		"param":         hostParam,
		"query":         hostQuery,
		"status":        hostStatus,
		"set_status":    hostSetStatus,
		"header_get":    hostHeaderGet,
		"header_all":    hostHeaderAll,
		"header_set":    hostHeaderSet,
		"header_add":    hostHeaderAdd,
		"header_remove": hostHeaderRemove,
		"body_size":     hostBodySize,
		"body_read":     hostBodyRead,
		"body_write":    hostBodyWrite,
		"respond":       hostRespond,
		"jwt_verify":    waits(hostJWTVerify),
		"schema_check":  waits(hostSchemaCheck),
		"fetch_start":   hostFetchStart,
		"fetch":         waits(hostFetch),
		"fetch_result":  hostFetchResult,
		"state_get":     hostStateGet,
		"state_set":     hostStateSet,
		"attr_get":      hostAttrGet,
		"attr_set":      hostAttrSet,
		"exchange":      hostExchange,
		"now":           hostNow,
		"random":        hostRandom,

		"kv_get":         waits(hostKVGet),
		"kv_set":         waits(hostKVSet),
		"kv_add":         waits(hostKVAdd),
		"kv_delete":      waits(hostKVDelete),
		"kv_swap":        waits(hostKVSwap),
		"rate_take":      waits(hostRateTake),
		"secret":         hostSecret,
		"metric_add":     hostMetricAdd,
		"metric_observe": hostMetricObserve,
		"password_check": hostPasswordCheck,
	}
}

// message decodes a message's handle.
func (a args) message(i int) (part, abi.Code) {
	switch handle := abi.Message(a.u32(i)); {
	case handle == abi.Request:
		return request, ok
	case handle == abi.Response:
		return response, ok
	case handle == abi.RequestTrailers:
		return requestTrailers, a.call.work.complete(request)
	case handle == abi.ResponseTrailers:
		return responseTrailers, a.call.work.complete(response)
	case handle >= abi.FirstFetch:
		return a.call.work.answered(uint32(handle))
	}
	return 0, abi.Invalid
}

// writable decodes the handle of a message that is to be changed: answers of fetches never are, nor trailers by the hooks of this release.
func (a args) writable(i int) (part, abi.Code) {
	if abi.Message(a.u32(i)) >= abi.FirstFetch {
		return 0, abi.Invalid
	}
	p, code := a.message(i)
	if code == ok && (p == requestTrailers || p == responseTrailers) {
		code = abi.WrongPhase
	}
	return p, code
}

// orCode is the result of a function that returns a number.
func orCode(n int, code abi.Code) int64 {
	if code != ok {
		return int64(code)
	}
	return int64(n)
}

func hostConfig(c *call, a args) int64 {
	return a.read(a.region(0), c.pool.config, ok)
}

func hostFail(c *call, a args) int64 {
	c.reason = strings.Clone(cut(a.text(0)))
	return 0
}

func hostLog(c *call, a args) int64 {
	text := a.text(1)
	level, known := slogLevel(a.u32(0))
	if !known {
		return int64(abi.Invalid)
	}
	c.say(level, text)
	return 0
}

func hostGet(c *call, a args) int64 {
	field, buf := abi.Field(a.u32(0)), a.region(1)
	if field == abi.TLSClientSubject {
		c.cost += costSubject
	}
	value, code := c.work.get(field)
	return a.read(buf, value, code)
}

func hostSet(c *call, a args) int64 {
	return int64(c.work.set(abi.Field(a.u32(0)), a.text(1)))
}

func hostParam(c *call, a args) int64 {
	name, buf := a.text(0), a.region(2)
	value, code := c.work.param(name)
	return a.read(buf, value, code)
}

func hostQuery(c *call, a args) int64 {
	name, buf := a.text(0), a.region(2)
	c.cost += int64(len(c.work.x.Req.Query)) // all of it may have to be decoded
	value, code := c.work.query(name)
	return a.read(buf, value, code)
}

func hostStatus(c *call, a args) int64 {
	p, code := a.message(0)
	if code == ok && p != response && p < firstFetch {
		code = abi.Invalid
	}
	if code != ok {
		return int64(code)
	}
	return orCode(c.work.status(p))
}

func hostSetStatus(c *call, a args) int64 {
	return int64(c.work.setStatus(a.u32(0)))
}

func hostHeaderGet(c *call, a args) int64 {
	name, buf := a.text(1), a.region(3)
	p, code := a.message(0)
	if code != ok {
		return int64(code)
	}
	value, code := c.work.headerGet(p, name)
	return a.read(buf, value, code)
}

func hostHeaderAll(c *call, a args) int64 {
	name, buf := a.text(1), a.region(3)
	p, code := a.message(0)
	if code != ok {
		return int64(code)
	}
	list, code := c.work.headerList(p, name)
	return a.read(buf, list, code)
}

func hostHeaderSet(c *call, a args) int64 {
	name, value := a.text(1), a.text(3)
	p, code := a.writable(0)
	if code != ok {
		return int64(code)
	}
	return int64(c.work.headerSet(p, name, value))
}

func hostHeaderAdd(c *call, a args) int64 {
	name, value := a.text(1), a.text(3)
	p, code := a.writable(0)
	if code != ok {
		return int64(code)
	}
	return int64(c.work.headerAdd(p, name, value))
}

func hostHeaderRemove(c *call, a args) int64 {
	name := a.text(1)
	p, code := a.writable(0)
	if code != ok {
		return int64(code)
	}
	return orCode(c.work.headerRemove(p, name))
}

func hostBodySize(c *call, a args) int64 {
	p, code := a.message(0)
	if code != ok {
		return int64(code)
	}
	return orCode(c.work.bodySize(p))
}

func hostBodyRead(c *call, a args) int64 {
	buf := a.region(2)
	p, code := a.message(0)
	if code != ok {
		return int64(code)
	}
	n, code := c.work.bodyRead(p, a.u32(1), buf)
	c.cost += int64(n / bytesPer)
	return orCode(n, code)
}

func hostBodyWrite(c *call, a args) int64 {
	data := a.text(1)
	p, code := a.writable(0)
	if code != ok {
		return int64(code)
	}
	return int64(c.work.bodyWrite(p, bytesOf(data)))
}

func hostRespond(c *call, a args) int64 {
	return int64(c.work.respond(a.u32(0), bytesOf(a.text(1))))
}

func hostStateGet(c *call, a args) int64 {
	return a.read(a.region(0), c.work.stateGet(), ok)
}

func hostStateSet(c *call, a args) int64 {
	return int64(c.work.stateSet(bytesOf(a.text(0))))
}

func hostAttrGet(c *call, a args) int64 {
	name, buf := a.text(0), a.region(2)
	value, code := c.work.attrGet(name)
	return a.read(buf, value, code)
}

func hostAttrSet(c *call, a args) int64 {
	name, value := a.text(0), a.text(2)
	return int64(c.work.attrSet(name, value))
}

func hostExchange(c *call, _ args) int64 {
	return int64(c.work.x.Number)
}

func hostNow(c *call, _ args) int64 {
	return c.pool.plugin.host.clock().UnixNano()
}

func hostRandom(c *call, a args) int64 {
	buf := a.region(0)
	if len(buf) > abi.MaxRandom {
		return int64(abi.TooLarge)
	}
	c.cost += costRandom + costRandomByte*int64(len(buf))
	c.pool.plugin.host.random(buf)
	return 0
}
