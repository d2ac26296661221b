package plugin

import (
	"time"

	"github.com/sallyport/sallyport/core/plugin/abi"
)

func hostFetchStart(c *call, a args) int64 {
	id, code := c.fetchStart(a)
	return orCode(int(id), code)
}

func (c *call) fetchStart(a args) (uint32, abi.Code) {
	upstream, fields, body := a.text(0), a.text(2), a.text(4)
	timeout := time.Duration(a.u32(6)) * time.Millisecond
	c.cost += costFetch
	return c.work.fetchStart(c.pool, upstream, bytesOf(fields), bytesOf(body), timeout)
}

// hostFetch holds the instance while it waits: how many may do so at once is bounded.
func hostFetch(c *call, a args) int64 {
	f := &c.pool.plugin.fleet
	if !f.mayWait(c.pool.plugin.limits.MaxWaiting) {
		return int64(abi.Unavailable)
	}
	defer f.waited()
	id, code := c.fetchStart(a)
	if code != ok {
		return int64(code)
	}
	list := c.work.fetches().list
	one := list[len(list)-1]
	<-one.done
	c.tank.restart()
	return orCode(int(id), one.code())
}

func hostFetchResult(c *call, a args) int64 {
	p, code := c.work.answered(a.u32(0))
	return orCode(int(p), code)
}
