package gateway

func (s *Snapshot) measureUpstreams(m *measures) {
	retrying := m.gauge("sallyport.upstream.retrying", "{retry}", "Further tries that are under way.", labelUpstream)
	overBudget := m.counter("sallyport.upstream.over_budget", "{retry}", "Tries that were not made since there were too many at once.", labelUpstream)
	pending := m.gauge("sallyport.upstream.pending", "{request}", "Requests that wait for room.", labelUpstream)
	overflowed := m.counter("sallyport.upstream.overflowed", "{request}", "Requests, or tries, that were refused since there was no room.", labelUpstream)
	unserved := m.counter("sallyport.upstream.unserved", "{request}", "Requests that were refused since every endpoint's breaker was open.", labelUpstream)
	panics := m.gauge("sallyport.upstream.panic", "", "1 if so few endpoints can be used that all are.", labelUpstream)
	changes := m.counter("sallyport.upstream.discovery.changes", "{change}", "Changes of the endpoints that were looked up.", labelUpstream)
	failures := m.counter("sallyport.upstream.discovery.failures", "{lookup}", "Look-ups of endpoints that failed.", labelUpstream)
	for _, name := range sortedKeys(s.upstreams) {
		n := s.upstreams[name].State()
		point(retrying, n.Retrying, name)
		point(overBudget, n.OverBudget, name)
		point(pending, n.Pending, name)
		point(overflowed, n.Overflowed, name)
		point(unserved, n.Unserved, name)
		point(panics, bit(s.upstreams[name].Balance().Panic), name)
		if feed := s.feeds[name]; feed != nil {
			state := feed.State()
			point(changes, state.Changes, name)
			point(failures, state.Failures, name)
		}
	}
}

func (s *Snapshot) measureEndpoints(m *measures) {
	requests := m.counter("sallyport.endpoint.requests", "{try}", "Tries.", labelUpstream, labelAddress)
	failures := m.counter("sallyport.endpoint.failures", "{try}", "Tries that the endpoint is to blame for.", labelUpstream, labelAddress)
	active := m.gauge("sallyport.endpoint.active", "{request}", "Requests in flight, up to the last byte of their answers.", labelUpstream, labelAddress)
	idle := m.gauge("sallyport.endpoint.idle", "{connection}", "Connections that are kept for reuse.", labelUpstream, labelAddress)
	usable := m.gauge("sallyport.endpoint.usable", "", "1 if it gets requests: it is healthy, not ejected and not drained.", labelUpstream, labelAddress)
	ejected := m.gauge("sallyport.endpoint.ejected", "", "1 if it is ejected for its errors.", labelUpstream, labelAddress)
	ejections := m.counter("sallyport.endpoint.ejections", "{ejection}", "How often it was ejected.", labelUpstream, labelAddress)
	checks := m.counter("sallyport.endpoint.checks", "{check}", "Health checks.", labelUpstream, labelAddress, labelOutcome)
	breaker := m.gauge("sallyport.endpoint.breaker", "", "The breaker: 0 closed, 1 half open, 2 open.", labelUpstream, labelAddress)
	opened := m.counter("sallyport.endpoint.breaker.opened", "{opening}", "How often the breaker has opened.", labelUpstream, labelAddress)
	weight := m.gauge("sallyport.endpoint.weight", "", "What its weight comes to for now: 0 when it is not picked.", labelUpstream, labelAddress)
	for _, name := range sortedKeys(s.upstreams) {
		for _, e := range s.upstreams[name].Endpoints() {
			point(requests, e.Requests, name, e.Address)
			point(failures, e.Failures, name, e.Address)
			point(active, e.Active, name, e.Address)
			point(idle, e.Idle, name, e.Address)
			point(usable, bit(e.Standing.Usable), name, e.Address)
			point(weight, e.Effective, name, e.Address)
			if out := e.Standing.Ejection; out != nil {
				point(ejected, bit(!out.Until.IsZero()), name, e.Address)
				point(ejections, out.Count, name, e.Address)
			}
			if c := e.Standing.Check; c != nil {
				point(checks, c.Total-c.Failed, name, e.Address, "passed")
				point(checks, c.Failed, name, e.Address, "failed")
			}
			if e.Breaker != "" {
				point(breaker, map[string]int{"closed": 0, "half_open": 1, "open": 2}[e.Breaker], name, e.Address)
				point(opened, e.Opened, name, e.Address)
			}
		}
	}
}

// measureTraffic tells of bounds on requests at once, where the empty route stands for all together, of splits and of mirrors.
func (s *Snapshot) measureTraffic(m *measures) {
	limit := m.gauge("sallyport.concurrency.limit", "{request}", "How many requests may be served at once.", labelRoute)
	active := m.gauge("sallyport.concurrency.active", "{request}", "Requests that are served under that bound.", labelRoute)
	waiting := m.gauge("sallyport.concurrency.waiting", "{request}", "Requests that wait for room.", labelRoute)
	shed := m.counter("sallyport.concurrency.shed", "{request}", "Requests that were refused since there was no room.", labelRoute)
	branches := m.counter("sallyport.split.requests", "{request}", "Requests of a split route, by the branch that they took.", labelRoute, labelBranch)
	copies := m.counter("sallyport.mirror.copies", "{request}", "Copies of requests that were sent, of those that failed, and requests that were not copied since there was no room or their content was too long (dropped).", labelRoute, labelOutcome)
	for _, name := range sortedKeys(s.concurrency) {
		n := s.concurrency[name].State()
		point(limit, n.Limit, name)
		point(active, n.Active, name)
		point(waiting, n.Waiting, name)
		point(shed, n.Shed, name)
	}
	for _, name := range sortedKeys(s.splits) {
		counts := s.splits[name].Counts()
		for _, branch := range sortedKeys(counts) {
			point(branches, counts[branch], name, branch)
		}
	}
	for _, name := range sortedKeys(s.mirrors) {
		n := s.mirrors[name].State()
		point(copies, n.Sent, name, "sent")
		point(copies, n.Failed, name, "failed")
		point(copies, n.Dropped, name, "dropped")
	}
}

func (s *Snapshot) measureLimits(m *measures) {
	decisions := m.counter("sallyport.limit.decisions", "{decision}", "Decisions of a rate limit. would_deny are those that a limit tried out would have denied.", labelLimit, labelOutcome)
	errors := m.counter("sallyport.limit.store_errors", "{decision}", "Decisions for which the store could not be had.", labelLimit)
	calls := m.counter("sallyport.store.calls", "{call}", "Calls to a store that gateways share.", labelStore)
	failures := m.counter("sallyport.store.failures", "{call}", "Calls that failed, those that took too long included.", labelStore)
	timeouts := m.counter("sallyport.store.timeouts", "{call}", "Calls that took too long.", labelStore)
	refused := m.counter("sallyport.store.refused", "{call}", "Calls that were not made, since the store keeps failing.", labelStore)
	open := m.gauge("sallyport.store.open", "", "1 if the store keeps failing and is left alone for a while.", labelStore)
	for _, name := range sortedKeys(s.limits) {
		n := s.limits[name].tally.Counts()
		if n.Allowed+n.Denied+n.Dry+n.StoreErrors == 0 {
			continue // there may be one for each route
		}
		point(decisions, n.Allowed, name, "allowed")
		point(decisions, n.Denied, name, "denied")
		point(decisions, n.Dry, name, "would_deny")
		point(errors, n.StoreErrors, name)
	}
	for _, name := range sortedKeys(s.stores) {
		n := s.stores[name].redis.Stats()
		point(calls, n.Calls, name)
		point(failures, n.Failures, name)
		point(timeouts, n.Timeouts, name)
		point(refused, n.Refused, name)
		point(open, bit(n.Open), name)
	}
}
