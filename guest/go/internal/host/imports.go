// Package host has the imports of Ubiquitous and how values get through them. Numbers are offsets of
// blocks in the host's memory, unless they are said to be something else; a result is a block, a number or
// a negative code.
package host

//go:wasmimport extism:host/user ubiq_kv_get
func KVGet(key uint64) int64

//go:wasmimport extism:host/user ubiq_kv_set
func KVSet(key, value uint64, ttlMs int64) int64

//go:wasmimport extism:host/user ubiq_kv_set_if_absent
func KVSetIfAbsent(key, value uint64, ttlMs int64) int64

//go:wasmimport extism:host/user ubiq_kv_compare_and_set
func KVCompareAndSet(key, expected, value uint64, ttlMs int64) int64

//go:wasmimport extism:host/user ubiq_kv_increment
func KVIncrement(key uint64, delta int64) int64

//go:wasmimport extism:host/user ubiq_kv_delete
func KVDelete(key uint64) int64

//go:wasmimport extism:host/user ubiq_kv_list
func KVList(prefix, after uint64, limit int64) int64

//go:wasmimport extism:host/user ubiq_storage_read
func StorageRead(path uint64) int64

//go:wasmimport extism:host/user ubiq_storage_write
func StorageWrite(path, data uint64) int64

//go:wasmimport extism:host/user ubiq_storage_delete
func StorageDelete(path uint64) int64

//go:wasmimport extism:host/user ubiq_storage_stat
func StorageStat(path uint64) int64

//go:wasmimport extism:host/user ubiq_storage_list
func StorageList(prefix, after uint64, limit int64) int64

//go:wasmimport extism:host/user ubiq_events_emit
func EventsEmit(topic, payload uint64) int64

//go:wasmimport extism:host/user ubiq_invoke
func Invoke(function, payload uint64) int64

//go:wasmimport extism:host/user ubiq_request
func Request() int64

//go:wasmimport extism:host/user ubiq_response_status
func ResponseStatus(status int32) int64

//go:wasmimport extism:host/user ubiq_response_header
func ResponseHeader(name, value uint64) int64

//go:wasmimport extism:host/user ubiq_log
func Log(level int32, message, attributes uint64) int64

//go:wasmimport extism:host/user ubiq_trace_attribute
func TraceAttribute(key, value uint64) int64

//go:wasmimport extism:host/user ubiq_trace_event
func TraceEvent(name, attributes uint64) int64

//go:wasmimport extism:host/user ubiq_error
func lastError() int64
