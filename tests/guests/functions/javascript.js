// The conformance suite's function in JavaScript: see ../README.md.

import { config, events, http, invoke, kv, log, request, response, storage, trace, UbiqError } from "ubiq";

const codes = ["", "not_found", "denied", "invalid", "too_large", "over_quota", "conflict", "timeout", "unavailable", "busy"];
const levels = ["trace", "debug", "info", "warn", "error"];

const orNull = (value) => value ?? null;
const described = (file) => file && { path: file.path, size: file.size, type: file.type, dated: file.modified.startsWith("20") };
const done = () => true;

const commands = {
  "kv.get": (key) => kv.get(key),
  "kv.set": (key, value, ttl) => done(kv.set(key, value, { ttl })),
  "kv.set_if_absent": (key, value, ttl) => kv.setIfAbsent(key, value, { ttl }),
  "kv.compare_and_set": (key, expected, value, ttl) => kv.compareAndSet(key, expected, value, { ttl }),
  "kv.increment": (key, delta) => kv.increment(key, delta),
  "kv.delete": (key) => kv.delete(key),
  "kv.list": (prefix, after, limit) => kv.list(prefix, { after, limit }),
  "storage.read": (path) => storage.readText(path),
  "storage.write": (path, data) => done(storage.write(path, data)),
  "storage.delete": (path) => storage.delete(path),
  "storage.stat": (path) => described(storage.stat(path)),
  "storage.list"(prefix, after, limit) {
    const page = storage.list(prefix, { after, limit });
    return { items: page.items.map(described), next: page.next };
  },
  "events.emit": (topic, payload) => events.emit(topic, payload).length,
  invoke: (name, input) => invoke(name, input),
  async http(method, url, sent, body) {
    const answer = await http.fetch(url, { method, headers: { "X-Sent": sent }, body: body || undefined });
    return { status: answer.status, body: await answer.text(), header: answer.headers.get("x-reply") };
  },
  config: (key) => orNull(config.get(key)),
  "var.get": (name) => orNull(Var.getString(name)),
  "var.set": (name, value) => done(Var.set(name, value)),
  request: () => ({
    trigger: request.trigger, method: request.method, path: request.path, route: request.route, url: request.url, has_id: request.id !== "",
  }),
  "request.param": (name) => orNull(request.params[name]),
  "request.query": (name) => orNull(request.query[name]),
  "request.header": (name) => orNull(request.headers[name.toLowerCase()]),
  "response.status": (status) => done(response.status(status)),
  "response.header": (name, value) => done(response.header(name, value)),
  log: (level, message, attributes) => done(log[levels[level]](message, attributes)),
  "trace.attribute": (key, value) => done(trace.attribute(key, value)),
  "trace.event": (name, attributes) => done(trace.event(name, attributes)),
};

export async function POST(input) {
  const results = [];
  for (const [name, ...words] of JSON.parse(input)) {
    if (name === "fail") throw new Error(words[0]);
    try {
      results.push(await commands[name](...words));
    } catch (error) {
      if (!(error instanceof UbiqError)) throw error;
      results.push({ code: -codes.indexOf(error.code), message: error.message });
    }
  }
  return results;
}

export function PUT(input) {
  return input;
}
