//go:build wasm || tinygo.wasm

package host

import "unsafe"

//go:wasmimport sallyport kv_get
func kvGet(store, key string, buf unsafe.Pointer, size uint32) int32

//go:wasmimport sallyport kv_set
func kvSet(store, key string, value unsafe.Pointer, size uint32, ttl uint32) int32

//go:wasmimport sallyport kv_add
func kvAdd(store, key string, delta int64, ttl uint32, out unsafe.Pointer) int32

//go:wasmimport sallyport kv_delete
func kvDelete(store, key string) int32

//go:wasmimport sallyport kv_swap
func kvSwap(store, key string, old unsafe.Pointer, oldSize uint32, next unsafe.Pointer, nextSize uint32, ttl uint32) int32

//go:wasmimport sallyport rate_take
func rateTake(limit, key string, n uint32) int32

//go:wasmimport sallyport secret
func secret(name string, buf unsafe.Pointer, size uint32) int32

//go:wasmimport sallyport granted
func granted(grant string) int32

//go:wasmimport sallyport metric_add
func metricAdd(name string, labels unsafe.Pointer, size uint32, delta int64) int32

//go:wasmimport sallyport metric_observe
func metricObserve(name string, labels unsafe.Pointer, size uint32, value float64) int32

//go:wasmimport sallyport fetch_start
func fetchStart(upstream string, fields unsafe.Pointer, fieldsSize uint32, body unsafe.Pointer, bodySize uint32, timeout uint32) int32

//go:wasmimport sallyport fetch
func fetch(upstream string, fields unsafe.Pointer, fieldsSize uint32, body unsafe.Pointer, bodySize uint32, timeout uint32) int32

//go:wasmimport sallyport fetch_result
func fetchResult(id uint32) int32

//go:wasmimport sallyport password_check
func passwordCheck(set, user, password string) int32

//go:wasmimport sallyport schema_check
func schemaCheck(schema string, msg uint32, data unsafe.Pointer, dataSize uint32, buf unsafe.Pointer, size uint32) int32

//go:wasmimport sallyport jwt_verify
func jwtVerify(keys, token string, buf unsafe.Pointer, size uint32) int32
