//go:build !wasm && !tinygo.wasm

package host

import (
	"encoding/binary"
	"math"
	"sort"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	notGranted = -3
	conflict   = -8
)

const (
	maxName   = 256
	maxKey    = 512
	maxStored = 256 << 10
	maxLabels = 16
	maxSeries = 1000
)

// store finds a granted store, or a code.
func store(name, key string) (*Store, int32) {
	switch s := world().Stores[name]; {
	case !inHead() && current.phase != InEnd:
		return nil, wrongPhase
	case len(name) > maxName || len(key) > maxKey:
		return nil, tooLarge
	case s == nil:
		return nil, notGranted
	default:
		return s, s.Fault
	}
}

// kept is a value that is kept for ttl milliseconds.
func kept(text string, ttl uint32) value {
	v := value{text: text}
	if ttl > 0 {
		v.ends = world().passed + time.Duration(ttl)*time.Millisecond
	}
	return v
}

// KVGet is the host function kv_get.
func KVGet(name, key string, buf []byte) int32 {
	s, code := store(name, key)
	if code < 0 {
		return code
	}
	v, ok := s.find(key, world().passed)
	return readIf(v.text, ok, buf)
}

// KVSet is the host function kv_set.
func KVSet(name, key string, data []byte, ttl uint32) int32 {
	s, code := store(name, key)
	switch {
	case code == wrongPhase:
		return code
	case len(data) > maxStored:
		return tooLarge
	case code < 0:
		return code
	}
	s.put(key, kept(string(data), ttl))
	return 0
}

// KVAdd is the host function kv_add.
func KVAdd(name, key string, delta int64, ttl uint32) (int64, int32) {
	s, code := store(name, key)
	if code < 0 {
		return 0, code
	}
	v, ok := s.find(key, world().passed)
	if !ok {
		v = kept("0", ttl)
	}
	n, err := strconv.ParseInt(v.text, 10, 64)
	sum := n + delta
	if err != nil || strconv.FormatInt(n, 10) != v.text || delta != 0 && (sum > n) != (delta > 0) {
		return 0, conflict
	}
	v.text = strconv.FormatInt(sum, 10)
	s.put(key, v)
	return sum, 0
}

// KVDelete is the host function kv_delete.
func KVDelete(name, key string) int32 {
	s, code := store(name, key)
	if code < 0 {
		return code
	}
	if _, ok := s.find(key, world().passed); !ok {
		return notFound
	}
	delete(s.values, key)
	return 0
}

// KVSwap is the host function kv_swap.
func KVSwap(name, key string, old []byte, there bool, next []byte, ttl uint32) int32 {
	s, code := store(name, key)
	switch {
	case code == wrongPhase:
		return code
	case len(old) > maxStored || len(next) > maxStored:
		return tooLarge
	case code < 0:
		return code
	}
	if v, ok := s.find(key, world().passed); ok != there || ok && v.text != string(old) {
		return conflict
	}
	s.put(key, kept(string(next), ttl))
	return 0
}

// RateTake is the host function rate_take.
func RateTake(limit, key string, n uint32) int32 {
	w := world()
	most, granted := w.Limits[limit]
	switch {
	case !inHead():
		return wrongPhase
	case len(limit) > maxName || len(key) > maxKey:
		return tooLarge
	case !granted:
		return notGranted
	case n == 0:
		return invalid
	case int64(n) > most:
		return tooLarge
	case w.taken[[2]string{limit, key}]+int64(n) > most:
		return 1000
	}
	if w.taken == nil {
		w.taken = map[[2]string]int64{}
	}
	w.taken[[2]string{limit, key}] += int64(n)
	return 0
}

// Secret is the host function secret.
func Secret(name string, buf []byte) int32 {
	value, ok := world().Secrets[name]
	switch {
	case len(name) > maxName:
		return tooLarge
	case !ok:
		return notGranted
	}
	return read(value, buf)
}

// Granted is the host function granted.
func Granted(grant string) int32 {
	switch {
	case len(grant) > maxName:
		return tooLarge
	case world().granted(grant):
		return 1
	}
	return 0
}

// granted reports whether there is a grant, named as in gateway.toml.
func (w *World) granted(grant string) (there bool) {
	kind, name, named := strings.Cut(grant, ":")
	if named == (name == "") || !named && kind != "kv" {
		return false
	}
	switch kind {
	case "fetch":
		_, there = w.Upstreams[name]
	case "jwt":
		_, there = w.Keys[name]
	case "kv":
		_, there = w.Stores[name]
	case "limit":
		_, there = w.Limits[name]
	case "passwords":
		_, there = w.Passwords[name]
	case "schema":
		_, there = w.Schemas[name]
	case "secret":
		_, there = w.Secrets[name]
	}
	return there
}

// MetricAdd is the host function metric_add.
func MetricAdd(name string, labels []byte, delta int64) int32 {
	w := world()
	series, code := seriesName(name, labels, delta >= 0, func(base string) bool { return seriesOf(w.Observed, base) })
	if code < 0 {
		return code
	}
	if w.Counters == nil {
		w.Counters = map[string]int64{}
	}
	w.Counters[series] += delta
	return 0
}

// MetricObserve is the host function metric_observe.
func MetricObserve(name string, labels []byte, observed float64) int32 {
	w := world()
	finite := !math.IsNaN(observed) && !math.IsInf(observed, 0)
	series, code := seriesName(name, labels, finite, func(base string) bool { return seriesOf(w.Counters, base) })
	if code < 0 {
		return code
	}
	if w.Observed == nil {
		w.Observed = map[string][]float64{}
	}
	w.Observed[series] = append(w.Observed[series], observed)
	return 0
}

// seriesOf reports whether a metric of that name is among the series.
func seriesOf[T any](series map[string]T, name string) bool {
	for key := range series {
		if base, _, _ := strings.Cut(key, "{"); base == name {
			return true
		}
	}
	return false
}

// seriesName writes a name with its labels, sorted, or returns a code.
func seriesName(name string, labels []byte, valid bool, taken func(name string) bool) (string, int32) {
	if !inAnyHook() {
		return "", wrongPhase
	}
	list := decodeList(labels)
	tooLong := len(name) > maxName || len(list) > maxLabels
	for _, l := range list {
		tooLong = tooLong || len(l.Name) > maxName || len(l.Value) > maxName
		valid = valid && identifier(l.Name) && !strings.HasPrefix(l.Name, "__") && l.Name != "le" && l.Name != "plugin" && l.Name != "route" && utf8.ValidString(l.Value)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Name < list[j].Name })
	full := name
	for i, l := range list {
		valid = valid && (i == 0 || list[i-1].Name != l.Name)
		full += map[bool]string{true: "{", false: ","}[i == 0] + l.Name + "=" + strconv.Quote(l.Value)
	}
	if len(list) > 0 {
		full += "}"
	}
	w := world()
	_, counted := w.Counters[full]
	switch {
	case tooLong:
		return "", tooLarge
	case !valid || !identifier(name):
		return "", invalid
	case taken(name):
		return "", conflict
	case !counted && w.Observed[full] == nil && len(w.Counters)+len(w.Observed) >= maxSeries:
		return "", tooLarge
	}
	return full, 0
}

// identifier reports whether s is letters, digits and _, without a digit first.
func identifier(s string) bool {
	return s != "" && (s[0] < '0' || s[0] > '9') &&
		strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == ""
}

// decodeList reads a field list that this SDK has written.
func decodeList(b []byte) []Field {
	if len(b) < 4 {
		return nil
	}
	list := make([]Field, binary.LittleEndian.Uint32(b))
	texts := string(b[4+8*len(list):])
	for i := range list {
		name, value := binary.LittleEndian.Uint32(b[4+8*i:]), binary.LittleEndian.Uint32(b[8+8*i:])
		list[i] = Field{texts[:name], texts[name : name+value]}
		texts = texts[name+value:]
	}
	return list
}
