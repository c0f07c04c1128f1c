// Headers, Request, Response and fetch.
(native, hooks) => {
  "use strict";
  const { define, waiting } = hooks;
  const { http_start, http_head, http_body } = native.numbers;

  const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

  function headerName(name) {
    const text = String(name).toLowerCase();
    if (!token.test(text)) throw new TypeError(`"${name}" is not the name of a header`);
    return text;
  }
  function headerValue(value) {
    const text = String(value).replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, "");
    if (/[\0\r\n]/.test(text)) throw new TypeError("a header's value has a line break or a NUL");
    return text;
  }

  class Headers {
    #map = new Map();
    constructor(init) {
      if (init === undefined || init === null) return;
      if (typeof init[Symbol.iterator] === "function") for (const [name, value] of init) this.append(name, value);
      else for (const name of Object.keys(init)) this.append(name, init[name]);
    }
    append(name, value) {
      const key = headerName(name), list = this.#map.get(key);
      if (list) list.push(headerValue(value));
      else this.#map.set(key, [headerValue(value)]);
    }
    delete(name) {
      this.#map.delete(headerName(name));
    }
    get(name) {
      return this.#map.get(headerName(name))?.join(", ") ?? null;
    }
    getSetCookie() {
      return [...(this.#map.get("set-cookie") ?? [])];
    }
    has(name) {
      return this.#map.has(headerName(name));
    }
    set(name, value) {
      this.#map.set(headerName(name), [headerValue(value)]);
    }
    forEach(callback, self) {
      for (const [name, value] of this) callback.call(self, value, name, this);
    }
    *entries() {
      for (const name of [...this.#map.keys()].sort()) {
        if (name === "set-cookie") for (const value of this.#map.get(name)) yield [name, value];
        else yield [name, this.#map.get(name).join(", ")];
      }
    }
    *keys() {
      for (const [name] of this.entries()) yield name;
    }
    *values() {
      for (const [, value] of this.entries()) yield value;
    }
    [Symbol.iterator]() {
      return this.entries();
    }
    get [Symbol.toStringTag]() {
      return "Headers";
    }
  }

  // A body's bytes or text, and the content type that goes with it.
  function bodyOf(body) {
    if (body === undefined || body === null) return [null, null];
    if (body instanceof URLSearchParams) return [body.toString(), "application/x-www-form-urlencoded;charset=UTF-8"];
    if (body instanceof ArrayBuffer) return [new Uint8Array(body.slice(0)), null];
    if (ArrayBuffer.isView(body))
      return [new Uint8Array(body.buffer, body.byteOffset, body.byteLength).slice(), null];
    return [String(body), "text/plain;charset=UTF-8"];
  }

  class Body {
    #body;
    #used = false;
    constructor(body) {
      this.#body = body;
    }
    static raw(message) {
      return message.#body;
    }
    get bodyUsed() {
      return this.#used;
    }
    #take() {
      if (this.#used) throw new TypeError("the body has been read already");
      this.#used = this.#body !== null;
      return this.#body ?? "";
    }
    async text() {
      const body = this.#take();
      return typeof body === "string" ? body : native.decode(body, 0);
    }
    async json() {
      return JSON.parse(await this.text());
    }
    async bytes() {
      const body = this.#take();
      return typeof body === "string" ? native.encode(body) : body.slice();
    }
    async arrayBuffer() {
      return (await this.bytes()).buffer;
    }
  }
  const rawBody = Body.raw;
  delete Body.raw;
  hooks.rawBody = rawBody;

  const methods = /^(delete|get|head|options|post|put|patch)$/i;

  class Request extends Body {
    constructor(input, init = {}) {
      const from = input instanceof Request ? input : null;
      const [body, type] = init.body !== undefined && init.body !== null ? bodyOf(init.body)
        : [from ? rawBody(from) : null, null];
      super(body);
      const method = String(init.method ?? from?.method ?? "GET");
      if (!token.test(method)) throw new TypeError(`"${method}" is not a method`);
      this.method = methods.test(method) ? method.toUpperCase() : method;
      if (body !== null && (this.method === "GET" || this.method === "HEAD"))
        throw new TypeError(`a ${this.method} request has no body`);
      this.url = from ? from.url : new URL(input).href;
      this.headers = new Headers(init.headers ?? from?.headers);
      if (type && !this.headers.has("content-type")) this.headers.set("content-type", type);
      this.signal = init.signal ?? from?.signal ?? null;
    }
    clone() {
      if (this.bodyUsed) throw new TypeError("the body has been read already");
      return new Request(this);
    }
  }

  class Response extends Body {
    constructor(body = null, init = {}) {
      const [bytes, type] = bodyOf(body);
      const status = init.status === undefined ? 200 : Number(init.status);
      if (!(Number.isInteger(status) && status >= 200 && status <= 599))
        throw new RangeError(`${init.status} is not a status from 200 to 599`);
      if (bytes !== null && [204, 205, 304].includes(status)) throw new TypeError(`a response with status ${status} has no body`);
      super(bytes);
      this.status = status;
      this.statusText = String(init.statusText ?? "");
      this.headers = new Headers(init.headers);
      if (type && !this.headers.has("content-type")) this.headers.set("content-type", type);
      this.url = "";
      this.redirected = false;
      this.type = "default";
    }
    get ok() {
      return this.status >= 200 && this.status < 300;
    }
    clone() {
      if (this.bodyUsed) throw new TypeError("the body has been read already");
      const copy = new Response(rawBody(this), this);
      copy.url = this.url;
      return copy;
    }
    static json(value, init = {}) {
      const text = JSON.stringify(value);
      if (text === undefined) throw new TypeError("the value cannot be written as JSON");
      const headers = new Headers(init.headers);
      if (!headers.has("content-type")) headers.set("content-type", "application/json");
      return new Response(text, { ...init, headers });
    }
    static redirect(url, status = 302) {
      if (![301, 302, 303, 307, 308].includes(status)) throw new RangeError(`${status} is not the status of a redirect`);
      return new Response(null, { status, headers: { location: new URL(url).href } });
    }
    static error() {
      const response = new Response();
      response.status = 0;
      response.type = "error";
      return response;
    }
  }

  function responseOf(url, head, bytes) {
    const status = head.status >= 200 && head.status <= 599 ? head.status : 200;
    const response = new Response([204, 205, 304].includes(status) ? null : bytes, { status });
    for (const [name, value] of Object.entries(head.headers ?? {}))
      for (const one of Array.isArray(value) ? value : [value]) response.headers.append(name, one);
    response.url = head.url ?? url;
    return response;
  }

  const aside = (e) => Object.assign(new TypeError(`fetch failed: ${e.message}`), { cause: e });

  // On hosts that can only wait for one request after the other.
  function fetchNow(url, head, body) {
    let block;
    try {
      block = native.httpRequest(head, body);
    } catch (e) {
      throw aside(e);
    }
    return responseOf(url, { status: native.httpStatus(), headers: JSON.parse(native.httpHeaders() || "{}") }, native.bytes(block));
  }

  function started(url, head, body, signal) {
    const id = native.host(http_start, head, body);
    return new Promise((resolve, reject) => {
      waiting.set(id, () => {
        const answer = JSON.parse(native.text(native.host(http_head, id)));
        const bytes = native.bytes(native.host(http_body, id));
        if (answer.error) reject(aside(new hooks.ubiq.UbiqError(answer.error.code, answer.error.message)));
        else resolve(responseOf(url, answer, bytes));
      });
      signal?.addEventListener("abort", () => {
        if (waiting.has(id)) waiting.set(id, () => native.bytes(native.host(http_body, id)));
        reject(signal.reason);
      });
    });
  }

  async function fetch(input, init) {
    const request = new Request(input, init);
    request.signal?.throwIfAborted();
    const head = JSON.stringify({ url: request.url, method: request.method, headers: Object.fromEntries(request.headers) });
    return native.bound(http_start) ? started(request.url, head, rawBody(request), request.signal)
      : fetchNow(request.url, head, rawBody(request));
  }

  for (const value of [Headers, Request, Response, fetch]) define(value.name, value);
}
