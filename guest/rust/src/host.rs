//! The imports of Ubiquitous. Numbers are offsets of blocks in the host's memory, which stay the
//! function's, unless they are said to be something else; a result is a block, a number or a negative
//! code.

#[link(wasm_import_module = "extism:host/user")]
extern "C" {
    pub fn ubiq_kv_get(key: u64) -> i64;
    pub fn ubiq_kv_set(key: u64, value: u64, ttl_ms: i64) -> i64;
    pub fn ubiq_kv_set_if_absent(key: u64, value: u64, ttl_ms: i64) -> i64;
    pub fn ubiq_kv_compare_and_set(key: u64, expected: u64, value: u64, ttl_ms: i64) -> i64;
    pub fn ubiq_kv_increment(key: u64, delta: i64) -> i64;
    pub fn ubiq_kv_delete(key: u64) -> i64;
    pub fn ubiq_kv_list(prefix: u64, after: u64, limit: i64) -> i64;
    pub fn ubiq_storage_read(path: u64) -> i64;
    pub fn ubiq_storage_write(path: u64, data: u64) -> i64;
    pub fn ubiq_storage_delete(path: u64) -> i64;
    pub fn ubiq_storage_stat(path: u64) -> i64;
    pub fn ubiq_storage_list(prefix: u64, after: u64, limit: i64) -> i64;
    pub fn ubiq_events_emit(topic: u64, payload: u64) -> i64;
    pub fn ubiq_invoke(function: u64, payload: u64) -> i64;
    pub fn ubiq_request() -> i64;
    pub fn ubiq_response_status(status: i32) -> i64;
    pub fn ubiq_response_header(name: u64, value: u64) -> i64;
    pub fn ubiq_log(level: i32, message: u64, attributes: u64) -> i64;
    pub fn ubiq_trace_attribute(key: u64, value: u64) -> i64;
    pub fn ubiq_trace_event(name: u64, attributes: u64) -> i64;
    pub fn ubiq_error() -> i64;
}
