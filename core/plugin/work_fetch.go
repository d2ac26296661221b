package plugin

import (
	"strings"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/header"
	"github.com/sallyport/sallyport/core/http1"
	"github.com/sallyport/sallyport/core/plugin/abi"
)

// fetches returns those of this filter in this exchange, nil if there are none.
func (h *hookCall) fetches() *fetches {
	if k := keptOf(h.x, h.place, false); k != nil {
		return k.fetches
	}
	return nil
}

// answered decodes the handle of a fetch's answer.
func (h *hookCall) answered(handle uint32) (part, abi.Code) {
	if h.phase&abi.InHead == 0 {
		return 0, abi.NotFound // and nothing is looked at: the request's chunks run beside the rest of the exchange
	}
	f := h.fetches()
	n := handle - uint32(abi.FirstFetch)
	if f == nil || n >= uint32(len(f.list)) {
		return 0, abi.NotFound
	}
	return part(handle), f.list[n].code()
}

// code says how a fetch went: ok when there is an answer.
func (f *fetch) code() abi.Code {
	select {
	case <-f.done:
	default:
		return abi.Conflict
	}
	switch {
	case f.fault == nil:
		return ok
	case f.fault.Kind == fault.GatewayTimeout:
		return abi.TimedOut
	case f.fault.Kind == fault.ClientGone:
		return abi.Cancelled
	}
	return abi.Unavailable
}

// fetchStart sends a request to a granted upstream and returns the fetch's id, which is its answer's handle, too.
func (h *hookCall) fetchStart(p *Pool, upstream string, fields, body []byte, timeout time.Duration) (uint32, abi.Code) {
	if len(upstream) > abi.MaxName || len(body) > abi.MaxBody || len(fields) > abi.MaxFieldBytes+8*abi.MaxFields+4 {
		return 0, abi.TooLarge
	}
	to := p.grants.Upstreams[upstream]
	if to == nil {
		return 0, abi.NotGranted
	}
	all := h.openFetches(p)
	if len(all.list) >= abi.MaxFetches {
		return 0, abi.TooLarge
	}
	host := p.plugin.host
	x := host.exchanges.Get()
	if code := h.compose(x, fields, body); code != ok {
		host.exchanges.Put(x)
		return 0, code
	}
	limit := p.plugin.limits.FetchTimeout
	if timeout > 0 {
		limit = min(limit, timeout)
	}
	x.Client = &all.client
	x.Times.Start = time.Now()
	followTrace(x, h.x)
	one := &fetch{x: x, plugin: p.plugin.name, deadline: x.Times.Start.Add(limit), done: make(chan struct{})}
	all.list = append(all.list, one)
	h.lasting, h.fetching = true, true
	go one.run(to, &host.exchanges)
	return uint32(abi.FirstFetch) + uint32(len(all.list)) - 1, ok
}

func (h *hookCall) openFetches(p *Pool) *fetches {
	if all := h.fetches(); all != nil {
		return all
	}
	all := &fetches{pool: &p.plugin.host.exchanges}
	all.client.parent = h.x.Client
	keptOf(h.x, h.place, true).fetches = all
	return all
}

// compose makes the request of a fetch. The request id goes along, so that logs can be read together.
func (h *hookCall) compose(x *exchange.Exchange, fields, body []byte) abi.Code {
	r := &x.Req
	r.Method, r.Scheme, r.Path = "GET", "http", "/"
	size := 0
	code := eachField(fields, func(name, value string) abi.Code {
		if size += len(name) + len(value); size > abi.MaxFieldBytes {
			return abi.TooLarge
		}
		if strings.HasPrefix(name, ":") {
			return composePseudo(r, name, value)
		}
		return composeField(&r.Fields, name, value)
	})
	if code != ok {
		return code
	}
	x.ID = h.x.ID
	if !r.Fields.Has("X-Request-Id") && x.ID != "" {
		r.Fields.Add("X-Request-Id", x.ID)
	}
	if len(body) > 0 {
		r.Body = exchange.Body{Length: int64(len(body)), Held: append([]byte(nil), body...)}
	}
	return ok
}

func composePseudo(r *exchange.Request, name, value string) abi.Code {
	switch {
	case name == ":method" && validToken(value) && value != "CONNECT":
		r.Method = value
	case name == ":authority" && validHost(value) && len(value) <= abi.MaxHost:
		r.Host = strings.ToLower(value)
	case name == ":path" && len(value) <= abi.MaxPath+abi.MaxQuery:
		path, query, _ := strings.Cut(value, "?")
		canonical, valid := http1.CanonicalPath(path)
		if !valid || query != "" && (!visible(query) || strings.Contains(query, "#")) {
			return abi.Invalid
		}
		r.Path, r.Query = canonical, query
	default:
		return abi.Invalid
	}
	return ok
}

func composeField(fields *header.Fields, name, value string) abi.Code {
	value = trimSpace(value)
	switch {
	case len(name) > abi.MaxName || len(value) > abi.MaxFieldValue:
		return abi.TooLarge
	case !validToken(name) || !validValue(value) || isFraming(name) || isHost(name):
		return abi.Invalid
	}
	fields.Add(name, value)
	return ok
}
