// The module "ubiq": the platform's functions under the names that all guest languages use.
(native, hooks) => {
  "use strict";
  const n = native.numbers;
  const host = native.host;

  const codes = ["", "not_found", "denied", "invalid", "too_large", "over_quota", "conflict", "timeout", "unavailable", "busy"];

  class UbiqError extends Error {
    constructor(code, message) {
      super(message);
      this.code = code;
    }
    get name() {
      return "UbiqError";
    }
  }

  // What the host says of its last negative result.
  hooks.failure = (result) => {
    const code = codes[-result] ?? "unavailable";
    const block = native.bound(n.error) ? host(n.error) : 0;
    const message = block > 0 ? JSON.parse(native.text(block)).message : code.replace("_", " ");
    return new UbiqError(code, message);
  };

  function check(result) {
    if (result < 0) throw hooks.failure(result);
    return result;
  }
  // null for what is not there.
  const found = (result) => (result === -1 ? null : check(result));
  const text = (result) => (result === null ? null : native.text(result));
  const bytes = (result) => (result === null ? null : native.bytes(result));
  const json = (result) => JSON.parse(native.text(check(result)));

  // Bytes and text as they are, all else as JSON.
  function payload(value) {
    if (value === undefined || value === null || typeof value === "string" || value instanceof ArrayBuffer || ArrayBuffer.isView(value))
      return value;
    return JSON.stringify(value);
  }
  const attributes = (value) => (value === undefined || value === null ? null : JSON.stringify(value));
  const ttl = (options) => Math.ceil(options?.ttl ?? 0);

  const kv = {
    get: (key) => text(found(host(n.kv_get, String(key)))),
    getBytes: (key) => bytes(found(host(n.kv_get, String(key)))),
    getJson(key) {
      const value = kv.get(key);
      return value === null ? null : JSON.parse(value);
    },
    set: (key, value, options) => void check(host(n.kv_set, String(key), payload(value), ttl(options))),
    setIfAbsent: (key, value, options) => check(host(n.kv_set_if_absent, String(key), payload(value), ttl(options))) === 1,
    compareAndSet: (key, expected, value, options) =>
      check(host(n.kv_compare_and_set, String(key), payload(expected), payload(value), ttl(options))) === 1,
    increment: (key, delta = 1) => Number(native.text(check(host(n.kv_increment, String(key), delta)))),
    delete: (key) => check(host(n.kv_delete, String(key))) === 1,
    list: (prefix = "", { after = "", limit = 100 } = {}) => json(host(n.kv_list, String(prefix), String(after), limit)),
  };

  const storage = {
    read: (path) => bytes(found(host(n.storage_read, String(path)))),
    readText: (path) => text(found(host(n.storage_read, String(path)))),
    write: (path, data) => void check(host(n.storage_write, String(path), payload(data))),
    delete: (path) => check(host(n.storage_delete, String(path))) === 1,
    stat(path) {
      const result = found(host(n.storage_stat, String(path)));
      return result === null ? null : JSON.parse(native.text(result));
    },
    list: (prefix = "", { after = "", limit = 100 } = {}) => json(host(n.storage_list, String(prefix), String(after), limit)),
  };

  const events = {
    emit: (topic, value) => native.text(check(host(n.events_emit, String(topic), payload(value)))),
  };

  const send = (method) => (url, body, options) => fetch(url, { ...options, method, body });
  const http = {
    fetch: (url, options) => fetch(url, options),
    get: (url, options) => fetch(url, { ...options, method: "GET" }),
    post: send("POST"),
    put: send("PUT"),
    patch: send("PATCH"),
    delete: (url, options) => fetch(url, { ...options, method: "DELETE" }),
  };

  const config = { get: (key) => native.config(String(key)) };

  const levels = { trace: 0, debug: 1, info: 2, warn: 3, error: 4 };
  const log = {};
  for (const level in levels)
    log[level] = (message, more) => void check(host(n.log, levels[level], String(message), attributes(more)));

  const trace = {
    attribute: (key, value) => void check(host(n.trace_attribute, String(key), String(value))),
    event: (name, more) => void check(host(n.trace_event, String(name), attributes(more))),
  };

  const invoke = (name, value) => native.text(check(host(n.invoke, String(name), payload(value))));
  invoke.bytes = (name, value) => native.bytes(check(host(n.invoke, String(name), payload(value))));
  invoke.json = (name, value) => JSON.parse(invoke(name, value === undefined ? value : JSON.stringify(value)));

  // What is known of the request is asked for when it is first looked at.
  let known = null;
  const { forget } = hooks;
  hooks.forget = () => {
    forget();
    known = null;
    hooks.outputWasSet = false;
  };
  const request = {};
  for (const key of ["id", "trigger", "method", "path", "url", "route", "params", "query", "headers", "claims", "api_key", "request_id", "context"])
    Object.defineProperty(request, key, {
      enumerable: true,
      get: () => (known ??= native.bound(n.request) ? json(host(n.request)) : {})[key],
    });

  const response = {
    status: (code) => void check(host(n.response_status, code)),
    header: (name, value) => void check(host(n.response_header, String(name), String(value))),
  };

  const ubiq = { kv, storage, events, http, config, log, trace, invoke, request, response, UbiqError };
  ubiq.names = Object.keys(ubiq);
  hooks.ubiq = ubiq;
}
