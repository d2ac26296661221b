package config

import (
	"slices"
	"time"
)

// RateLimit is the native filter `ratelimit`.
type RateLimit struct {
	Limits        []Limit // at least one; evaluated together
	LegacyHeaders bool    // X-RateLimit fields, too
	HideHeaders   bool    // no fields but Retry-After
}

// Limit is one [limits.NAME] table, or one limit of a `ratelimit`.
type Limit struct {
	Name         string // of the policy in RateLimit fields; not of [limits.NAME]
	Algorithm    string // "gcra", "sliding_window", "quota" or "concurrency"
	Count        int64  // of units…
	Per          time.Duration
	Burst        int64         // units that may be taken at once; only of gcra
	Keys         int           // how many are remembered at most
	By           []string      `json:",omitempty"` // parts of the key; see checkLimitKey
	Cost         LimitCost     // of a request
	Missing      string        `json:",omitempty"` // "share", "skip" or "deny": what becomes of requests that lack a part of the key
	DryRun       bool          `json:",omitempty"`
	Store        string        // of [stores.NAME]; "": this gateway's memory
	OnStoreError string        // "local", "allow" or "deny"
	SyncInterval time.Duration // 0: the store is asked each time
}

// LimitCost is what one request takes.
type LimitCost struct {
	From    string // "header:NAME" or the like; "": always Default
	Default int64
	Max     int64
}

// Month is what a rate for each month of the calendar has as its period.
const Month = 31 * 24 * time.Hour

// most returns the most units that can be taken at once.
func (l *Limit) most() int64 {
	if l.Algorithm == "gcra" {
		return l.Burst
	}
	return l.Count
}

// maxLimits is the most limits of one filter.
const maxLimits = 8

// maxSharedRate bounds the rates of a shared limit: Redis' clock counts microseconds.
const maxSharedRate = int64(time.Second / time.Microsecond)

func defaultLimit() Limit {
	return Limit{
		Name: "default", Algorithm: "gcra", Keys: 100_000, By: []string{"client"}, Cost: LimitCost{Default: 1, Max: 1}, Missing: "share", OnStoreError: "local",
	}
}

func readRateLimit(v value, f *Filter) {
	l := &RateLimit{}
	f.RateLimit = l
	all := rateLimitKeys()
	for _, name := range ruleKeys().names() {
		all = append(all, struct {
			name string
			read func(v value, dst *RateLimit)
		}{name, func(value, *RateLimit) {}}) // read below, once it is known that there are no limits beside it
	}
	all.read(v, l)
	if v.has("limits") {
		v.checkTogether(l.Limits)
		return
	}
	one := defaultLimit()
	for _, key := range ruleKeys() {
		if v.has(key.name) {
			key.read(v.child(key.name), &one)
		}
	}
	checkLimit(v, &one, "requests")
	l.Limits = []Limit{one}
}

// rateLimitKeys are the keys of the filter beside those of its limit, if it has but one.
func rateLimitKeys() keys[RateLimit] {
	return keys[RateLimit]{
		{"use", func(value, *RateLimit) {}},
		{"limits", func(v value, l *RateLimit) { l.Limits = readRules(v) }},
		{"legacy_headers", func(v value, l *RateLimit) { v.boolean(&l.LegacyHeaders) }},
		{"hide_headers", func(v value, l *RateLimit) { v.boolean(&l.HideHeaders) }},
	}
}

func readRules(v value) []Limit {
	elements, ok := v.list(`tables such as { name = "burst", rate = "10/s" }`)
	if ok && (len(elements) == 0 || len(elements) > maxLimits) {
		v.fail("holds %d limits, must hold 1 to %d", len(elements), maxLimits)
	}
	var list []Limit
	for _, e := range elements {
		l := defaultLimit()
		ruleKeys().read(e, &l)
		if !e.holdsKeys() {
			continue
		}
		if e.need("name", "each of several limits has a name of its own, for RateLimit fields") &&
			slices.ContainsFunc(list, func(other Limit) bool { return other.Name == l.Name }) {
			e.child("name").fail("%q is the name of another limit of this filter", l.Name)
		}
		checkLimit(e, &l, "requests")
		list = append(list, l)
	}
	return list
}

// checkTogether checks what limits that are evaluated together must have in common.
func (v value) checkTogether(list []Limit) {
	for _, name := range ruleKeys().names() {
		if v.has(name) {
			v.child(name).fail("stands in each of the limits, where there are limits")
		}
	}
	first := ""
	for i, l := range list {
		switch {
		case l.Store == "" || l.SyncInterval > 0:
		case first == "":
			first = l.Store
		case l.Store != first:
			value{v.r, element(join(v.key, "limits"), i) + ".store", nil}.fail("is %q, but another limit of this filter is in %q: limits are decided on together, in one store", l.Store, first)
		}
	}
}

// ruleKeys are the keys of one limit of a filter.
func ruleKeys() keys[Limit] {
	return append(namedLimitKeys(), keys[Limit]{
		{"name", func(v value, l *Limit) { readPolicyName(v, &l.Name) }},
		{"key", func(v value, l *Limit) { readLimitKey(v, &l.By) }},
		{"max", func(v value, l *Limit) { integer(v, &l.Count, 1, maxCount) }},
		{"cost", func(v value, l *Limit) { readCost(v, &l.Cost) }},
		{"missing", func(v value, l *Limit) { v.oneOf(&l.Missing, "share", "skip", "deny") }},
		{"dry_run", func(v value, l *Limit) { v.boolean(&l.DryRun) }},
	}...)
}

// namedLimitKeys are the keys of [limits.NAME], which are a filter's limit's, too.
func namedLimitKeys() keys[Limit] {
	return keys[Limit]{
		{"algorithm", func(v value, l *Limit) { v.oneOf(&l.Algorithm, "gcra", "sliding_window", "quota", "concurrency") }},
		{"rate", func(v value, l *Limit) { v.rate(&l.Count, &l.Per) }},
		{"burst", func(v value, l *Limit) { integer(v, &l.Burst, 1, maxCount) }},
		{"keys", func(v value, l *Limit) { integer(v, &l.Keys, 8, 10_000_000) }},
		{"store", func(v value, l *Limit) { v.storeName(&l.Store) }},
		{"on_store_error", func(v value, l *Limit) { v.oneOf(&l.OnStoreError, "local", "allow", "deny") }},
		{"sync_interval", func(v value, l *Limit) { v.duration(&l.SyncInterval, 10*time.Millisecond, time.Minute) }},
	}
}

func readLimit(v value, _ string) Limit {
	l := defaultLimit()
	l.Name, l.By, l.Missing = "", nil, ""
	namedLimitKeys().read(v, &l)
	if l.Algorithm == "concurrency" {
		v.child("algorithm").fail(`"concurrency" is for the filter ratelimit: what plugins take has no end at which it is given back`)
		return l
	}
	if v.holdsKeys() {
		checkLimit(v, &l, "units")
	}
	return l
}

// checkLimit checks what the keys of a limit must have in common.
func checkLimit(v value, l *Limit, units string) {
	if l.Algorithm == "concurrency" {
		v.need("max", "how many requests may be open at once")
		v.without(`a concurrency limit: it has max, and is counted by each gateway for itself`, "rate", "burst", "keys", "store", "on_store_error", "sync_interval")
	} else {
		v.need("rate", "how many "+units+` in which time, such as "100/s"`)
		if units == "requests" { // others do not know the key at all
			v.without(`any algorithm but "concurrency"`, "max")
		}
		v.checkPeriod(l)
	}
	if l.Algorithm != "gcra" {
		v.without(`any algorithm but "gcra"`, "burst")
	}
	if l.Burst == 0 {
		l.Burst = l.Count
	}
	v.checkStored(l)
	if most := l.most(); l.Cost.Max > most && most > 0 {
		v.child("cost").fail("can be %d, but no more than %d can ever be taken at once", l.Cost.Max, most)
	}
}

// without notes keys that have no effect with something.
func (v value) without(what string, names ...string) {
	for _, name := range names {
		if v.has(name) {
			v.child(name).fail("has no effect with %s", what)
		}
	}
}

// checkPeriod holds quotas to the periods of the calendar, and others to those that have a length.
func (v value) checkPeriod(l *Limit) {
	quota := l.Algorithm == "quota"
	switch {
	case l.Per == 0:
	case quota && l.Per < time.Hour:
		v.child("rate").fail("a quota is for each hour, day or month: write h, d or mo")
	case !quota && l.Per == Month:
		v.child("rate").fail(`only a quota counts by months of the calendar: algorithm = "quota"`)
	}
}

// checkStored checks what a limit says of its store.
func (v value) checkStored(l *Limit) {
	if l.Store == "" {
		if !v.has("store") {
			v.without("a limit that has no store", "on_store_error", "sync_interval")
		}
		return
	}
	if l.SyncInterval > 0 {
		v.without("sync_interval: then every decision is made here, whatever becomes of the store", "on_store_error")
	}
	if l.Per > 0 && l.Count/maxSharedRate > int64(l.Per/time.Second) {
		v.child("rate").fail("a limit with a store can allow %d in a second at most", maxSharedRate)
	}
}

// readCost reads what a request takes: a number, or where it stands.
func readCost(v value, dst *LimitCost) {
	if !v.holdsKeys() {
		n := int64(1)
		integer(v, &n, 1, maxCount)
		*dst = LimitCost{Default: n, Max: n}
		return
	}
	c := LimitCost{Default: 1}
	costKeys().read(v, &c)
	v.need("from", `what of a request says its cost, such as "header:X-Cost"`)
	v.need("max", "what a request can cost at most")
	if c.Max > 0 && c.Default > c.Max {
		v.child("default").fail("is %d, more than max", c.Default)
	}
	*dst = c
}

func costKeys() keys[LimitCost] {
	return keys[LimitCost]{
		{"from", func(v value, c *LimitCost) {
			if s, ok := v.text(`such as "header:X-Cost"`); ok {
				c.From, _ = checkLimitKey(v, s)
			}
		}},
		{"default", func(v value, c *LimitCost) { integer(v, &c.Default, 1, maxCount) }},
		{"max", func(v value, c *LimitCost) { integer(v, &c.Max, 1, maxCount) }},
	}
}
