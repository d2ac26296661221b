//go:build wasm || tinygo.wasm

package host

import "unsafe"

// KVGet reads a value of a store.
func KVGet(store, key string, buf []byte) int32 {
	p, n := at(buf)
	return kvGet(store, key, p, n)
}

// KVSet writes a value, for ttl milliseconds.
func KVSet(store, key string, value []byte, ttl uint32) int32 {
	p, n := at(value)
	return kvSet(store, key, p, n, ttl)
}

// sum is where kv_add writes to. A local variable would be allocated at each call.
var sum int64

// KVAdd adds to a number.
func KVAdd(store, key string, delta int64, ttl uint32) (int64, int32) {
	sum = 0
	code := kvAdd(store, key, delta, ttl, unsafe.Pointer(&sum))
	return sum, code
}

// KVDelete takes a value away.
func KVDelete(store, key string) int32 { return kvDelete(store, key) }

// noOld is the length that stands for: if there is none.
const noOld = 1<<32 - 1

// KVSwap writes a value in the place of old, or of none.
func KVSwap(store, key string, old []byte, there bool, next []byte, ttl uint32) int32 {
	o, oldSize := at(old)
	if !there {
		oldSize = noOld
	}
	p, n := at(next)
	return kvSwap(store, key, o, oldSize, p, n, ttl)
}

// RateTake takes from a limit.
func RateTake(limit, key string, n uint32) int32 { return rateTake(limit, key, n) }

// Secret reads a secret.
func Secret(name string, buf []byte) int32 {
	p, n := at(buf)
	return secret(name, p, n)
}

// Granted asks whether there is a grant.
func Granted(grant string) int32 { return granted(grant) }

// MetricAdd adds to a counter; labels are a field list.
func MetricAdd(name string, labels []byte, delta int64) int32 {
	p, n := at(labels)
	return metricAdd(name, p, n, delta)
}

// MetricObserve adds to a histogram.
func MetricObserve(name string, labels []byte, value float64) int32 {
	p, n := at(labels)
	return metricObserve(name, p, n, value)
}

// FetchStart sends a request, whose head is a field list, and returns the fetch's id.
func FetchStart(upstream string, fields, body []byte, timeout uint32) int32 {
	f, fieldsSize := at(fields)
	b, bodySize := at(body)
	return fetchStart(upstream, f, fieldsSize, b, bodySize, timeout)
}

// Fetch sends a request, waits for the answer, and returns its handle.
func Fetch(upstream string, fields, body []byte, timeout uint32) int32 {
	f, fieldsSize := at(fields)
	b, bodySize := at(body)
	return fetch(upstream, f, fieldsSize, b, bodySize, timeout)
}

// FetchResult returns the handle of a fetch's answer.
func FetchResult(id uint32) int32 { return fetchResult(id) }

// JWTVerify checks a token and reads its claims.
func JWTVerify(keys, token string, buf []byte) int32 {
	p, n := at(buf)
	return jwtVerify(keys, token, p, n)
}

// PasswordCheck has a password checked.
func PasswordCheck(set, user, password string) int32 { return passwordCheck(set, user, password) }

// SchemaCheck checks a message's body, or data if there is no message, and reads what is wrong with it.
func SchemaCheck(schema string, msg uint32, data, buf []byte) int32 {
	d, dataSize := at(data)
	p, n := at(buf)
	return schemaCheck(schema, msg, d, dataSize, p, n)
}
