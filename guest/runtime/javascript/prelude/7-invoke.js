// Calls of handlers: what they are given, and what becomes of what they return.
(native, hooks) => {
  "use strict";
  const { request, response } = hooks.ubiq;
  const n = native.numbers;
  // What every call needs, found once.
  const { bound, inputSize, inputText, output } = native;
  const REQUEST = n.request;

  class Context {
    get request() {
      return request;
    }
    get response() {
      return response;
    }
  }
  for (const key of Object.keys(request))
    Object.defineProperty(Context.prototype, key, { get: () => request[key] });
  const context = new Context();

  function parsedInput() {
    try {
      return JSON.parse(native.inputText());
    } catch (e) {
      throw new SyntaxError(`the input is not JSON: ${e.message}`);
    }
  }

  // JSON and text by their content type, all else bytes; events and cron ticks are JSON.
  function input() {
    if (inputSize() === 0) return "";
    if (!bound(REQUEST)) return inputText();
    const trigger = request.trigger;
    const name = typeof trigger === "string" ? trigger : trigger?.type;
    const headers = request.headers ?? {};
    const type = String(headers["content-type"] ?? "");
    if (name === "event" || name === "cron" || /^application\/([\w.-]+\+)?json\b/i.test(type))
      return parsedInput();
    if (type === "" || /^text\/|^application\/(x-www-form-urlencoded|xml|javascript)\b|\+xml\b/i.test(type)) return native.inputText();
    return native.inputBytes();
  }

  function contentType(type) {
    if (native.bound(n.response_header)) response.header("content-type", type);
  }

  function putResponse(value) {
    if (value.bodyUsed) throw new TypeError("the body of the returned Response has been read already");
    if (native.bound(n.response_status)) {
      response.status(value.status);
      for (const [name, text] of value.headers) response.header(name, text);
    }
    const body = hooks.rawBody(value);
    if (body !== null) native.output(body);
  }

  function putJson(value) {
    let text;
    try {
      text = JSON.stringify(value);
    } catch (e) {
      throw new TypeError(`what the function returned cannot be written as JSON: ${e.message}`);
    }
    if (text === undefined) throw new TypeError(`the function returned a ${typeof value}, which is neither text nor bytes nor JSON`);
    contentType("application/json");
    native.output(text);
  }

  function finish(value) {
    if (value === undefined || value === null) return 0;
    if (typeof value === "string") native.output(value);
    else if (value instanceof Response) putResponse(value);
    else if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) native.output(value);
    else putJson(value);
    return 0;
  }

  // As Extism's own sources do it, a function without parameters reads its input and sets its output by
  // itself, and may return a code.
  function finishOwn(value) {
    if (value === undefined || Number.isInteger(value)) return value ?? 0;
    return hooks.outputWasSet ? 0 : finish(value);
  }

  let calls = 0;
  hooks.run = (handler, commonjs, middleware) => {
    if (calls++) hooks.forget();
    const plain = handler.length === 0;
    const result = plain ? handler() : handler(middleware ? parsedInput() : input(), context);
    if (typeof result === "string" && !hooks.outputWasSet) return output(result);
    const end = (value) => (hooks.outputWasSet || (commonjs && plain) ? finishOwn : finish)(value);
    return result instanceof Promise ? result.then(end) : end(result);
  };

  hooks.loadCommonJS = (wrapper) => {
    const module = { exports: {} };
    const require = (name) => {
      if (name === "ubiq") return hooks.ubiq;
      throw new Error(`the module "${name}" is not there`);
    };
    wrapper.call(module.exports, module, module.exports, require);
    if (typeof module.exports === "function") return { default: module.exports, ...module.exports };
    return module.exports;
  };
}
