package plugin

import (
	"encoding/binary"
	"time"

	"github.com/sallyport/sallyport/core/header"
	"github.com/sallyport/sallyport/core/plugin/abi"
)

// What the functions of this file cost beyond a call, in units of fuel.
const (
	costStore  = 400
	costLimit  = 200
	costMetric = 200
)

// ttl decodes a number of milliseconds.
func (a args) ttl(i int) time.Duration { return time.Duration(a.u32(i)) * time.Millisecond }

// outsider is a Store or Limiter whose operations wait for others than the gateway itself.
type outsider interface{ Waits() }

// outsideOf runs an operation on a Store or Limiter. One that waits holds the instance meanwhile, as a fetch that blocks does: how many may do
// so at once is bounded, and the time is not the guest's.
func (c *call) outsideOf(thing any, operate func() abi.Code) abi.Code {
	if _, waits := thing.(outsider); !waits {
		return operate()
	}
	f := &c.pool.plugin.fleet
	if !f.mayWait(c.pool.plugin.limits.MaxWaiting) {
		return abi.Unavailable
	}
	defer f.waited()
	code := operate()
	c.tank.restart()
	return code
}

func hostKVGet(c *call, a args) int64 {
	store, key, buf := a.text(0), a.text(2), a.region(4)
	c.cost += costStore
	var value string
	code := c.outsideOf(c.work.grants.Stores[store], func() (code abi.Code) {
		value, code = c.work.kvGet(store, key)
		return code
	})
	return a.read(buf, value, code)
}

func hostKVSet(c *call, a args) int64 {
	store, key, value := a.text(0), a.text(2), a.text(4)
	c.cost += costStore
	return int64(c.outsideOf(c.work.grants.Stores[store], func() abi.Code { return c.work.kvSet(store, key, value, a.ttl(6)) }))
}

func hostKVAdd(c *call, a args) int64 {
	store, key, out := a.text(0), a.text(2), a.view(a.u32(6), 8)
	c.cost += costStore
	var sum int64
	code := c.outsideOf(c.work.grants.Stores[store], func() (code abi.Code) {
		sum, code = c.work.kvAdd(store, key, a.i64(4), a.ttl(5))
		return code
	})
	if code == ok {
		binary.LittleEndian.PutUint64(out, uint64(sum))
	}
	return int64(code)
}

func hostKVDelete(c *call, a args) int64 {
	store, key := a.text(0), a.text(2)
	c.cost += costStore
	return int64(c.outsideOf(c.work.grants.Stores[store], func() abi.Code { return c.work.kvDelete(store, key) }))
}

func hostKVSwap(c *call, a args) int64 {
	store, key, next := a.text(0), a.text(2), a.text(6)
	there := a.u32(5) != abi.NoOldValue
	old := ""
	if there {
		old = a.text(4)
	}
	c.cost += costStore
	return int64(c.outsideOf(c.work.grants.Stores[store], func() abi.Code { return c.work.kvSwap(store, key, old, there, next, a.ttl(8)) }))
}

func hostRateTake(c *call, a args) int64 {
	limit, key := a.text(0), a.text(2)
	c.cost += costLimit
	var wait int
	code := c.outsideOf(c.work.grants.Limits[limit], func() (code abi.Code) {
		wait, code = c.work.rateTake(limit, key, int64(a.u32(4)))
		return code
	})
	return orCode(wait, code)
}

func hostGranted(c *call, a args) int64 {
	grant := a.text(0)
	switch {
	case len(grant) > abi.MaxName:
		return int64(abi.TooLarge)
	case c.work.grants.has(grant):
		return 1
	}
	return 0
}

func hostSecret(c *call, a args) int64 {
	name, buf := a.text(0), a.region(2)
	value, code := c.work.secret(name)
	return a.read(buf, value, code)
}

func hostMetricAdd(c *call, a args) int64 {
	name, list, delta := a.text(0), a.text(2), a.i64(4)
	c.cost += costMetric
	s, code := c.series(name, list, counter, delta >= 0)
	if code == ok {
		s.add(uint64(delta))
	}
	return int64(code)
}

func hostMetricObserve(c *call, a args) int64 {
	name, list, value := a.text(0), a.text(2), a.f64(4)
	c.cost += costMetric
	s, code := c.series(name, list, histogram, finite(value))
	if code == ok {
		s.observe(value)
	}
	return int64(code)
}

// series finds the series of a name and an encoded list of labels; valid says whether it can take the value at all.
func (c *call) series(name, list string, k kind, valid bool) (*series, abi.Code) {
	if len(name) > abi.MaxName {
		return nil, abi.TooLarge
	}
	var room [abi.MaxLabels]header.Field
	labels, code := decodeList(list, room[:0])
	if code != ok {
		return nil, code
	}
	for _, label := range labels {
		if len(label.Name) > abi.MaxName || len(label.Value) > abi.MaxName {
			return nil, abi.TooLarge
		}
	}
	if !valid {
		return nil, abi.Invalid
	}
	return c.pool.plugin.metrics.find(&c.work, name, labels, k)
}

// decodeList reads a field list (sdk/ABI.md, section 10) into room, which bounds it. The texts are parts of list. Nothing at all is an
// empty list, too.
func decodeList(list string, room []header.Field) ([]header.Field, abi.Code) {
	if list == "" {
		return room, ok
	}
	const number = 4
	raw := bytesOf(list)
	if len(raw) < number {
		return nil, abi.Invalid
	}
	count := uint64(binary.LittleEndian.Uint32(raw))
	texts := number + 2*number*count
	switch {
	case texts > uint64(len(raw)):
		return nil, abi.Invalid
	case count > uint64(cap(room)):
		return nil, abi.TooLarge
	}
	rest := list[texts:]
	for at := uint64(number); at < texts; at += 2 * number {
		name, value := uint64(binary.LittleEndian.Uint32(raw[at:])), uint64(binary.LittleEndian.Uint32(raw[at+number:]))
		if name+value > uint64(len(rest)) {
			return nil, abi.Invalid
		}
		room = append(room, header.Field{Name: rest[:name], Value: rest[name : name+value]})
		rest = rest[name+value:]
	}
	if rest != "" {
		return nil, abi.Invalid
	}
	return room, ok
}
