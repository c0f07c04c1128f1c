// What the web platform and Node have in common and functions use: console, text and bytes, chance,
// timers, events.
(native, hooks) => {
  "use strict";
  const { inspect } = hooks;

  function define(name, value) {
    Object.defineProperty(globalThis, name, { value, writable: true, enumerable: false, configurable: true });
  }
  hooks.define = define;

  // console

  function format(args) {
    let first = args[0], at = 1;
    if (typeof first !== "string") return args.map((v) => inspect(v)).join(" ");
    first = first.replace(/%[sdifoOjc%]/g, (code) => {
      if (code === "%%") return "%";
      if (at >= args.length) return code;
      const v = args[at++];
      switch (code) {
        case "%s": return typeof v === "string" ? v : inspect(v);
        case "%d": return String(Number(v));
        case "%i": return String(parseInt(v, 10));
        case "%f": return String(parseFloat(v));
        case "%c": return "";
        default: return inspect(v);
      }
    });
    return [first, ...args.slice(at).map((v) => inspect(v))].join(" ");
  }

  const levels = { trace: 0, debug: 1, log: 2, info: 2, warn: 3, error: 4 };
  const counts = new Map(), times = new Map();
  let indent = "";
  const write = (level, text) => {
    if (native.bound(native.numbers.log)) native.host(native.numbers.log, level, indent + text, null);
    else native.log(level, indent + text);
  };
  const console = {};
  for (const name in levels) console[name] = (...args) => write(levels[name], format(args));
  Object.assign(console, {
    assert(ok, ...args) {
      if (!ok) write(4, `Assertion failed${args.length ? `: ${format(args)}` : ""}`);
    },
    dir: (v) => write(2, inspect(v)),
    table: (v) => write(2, inspect(v)),
    group(...args) {
      if (args.length) console.log(...args);
      indent += "  ";
    },
    groupEnd() {
      indent = indent.slice(2);
    },
    count(label = "default") {
      counts.set(label, (counts.get(label) ?? 0) + 1);
      write(2, `${label}: ${counts.get(label)}`);
    },
    countReset: (label = "default") => void counts.delete(label),
    time: (label = "default") => void times.set(label, native.monotonic()),
    timeLog: (label = "default") => write(2, `${label}: ${(native.monotonic() - times.get(label)).toFixed(3)}ms`),
    timeEnd(label = "default") {
      console.timeLog(label);
      times.delete(label);
    },
  });
  define("console", console);

  // Text and bytes

  class TextEncoder {
    get encoding() {
      return "utf-8";
    }
    encode(text = "") {
      return native.encode(String(text));
    }
    encodeInto(text, target) {
      let read = 0, written = 0;
      for (const character of String(text)) {
        const bytes = native.encode(character);
        if (written + bytes.length > target.length) break;
        target.set(bytes, written);
        written += bytes.length;
        read += character.length;
      }
      return { read, written };
    }
  }
  define("TextEncoder", TextEncoder);

  // How many bytes at the end begin a character that is not whole.
  function unfinished(bytes) {
    for (let back = 1; back <= 3 && back <= bytes.length; back++) {
      const byte = bytes[bytes.length - back];
      if ((byte & 0xc0) === 0x80) continue;
      const size = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
      return size > back ? back : 0;
    }
    return 0;
  }

  class TextDecoder {
    #fatal;
    #keepBom;
    #rest = null;
    #begun = false;
    constructor(label = "utf-8", { fatal = false, ignoreBOM = false } = {}) {
      if (!/^\s*(utf-?8|unicode-1-1-utf-8)\s*$/i.test(label)) throw new RangeError(`no decoder for "${label}"`);
      this.#fatal = !!fatal;
      this.#keepBom = !!ignoreBOM;
    }
    get encoding() {
      return "utf-8";
    }
    get fatal() {
      return this.#fatal;
    }
    get ignoreBOM() {
      return this.#keepBom;
    }
    decode(input = new Uint8Array(), { stream = false } = {}) {
      let bytes = ArrayBuffer.isView(input)
        ? new Uint8Array(input.buffer, input.byteOffset, input.byteLength) : new Uint8Array(input);
      if (this.#rest) {
        const whole = new Uint8Array(this.#rest.length + bytes.length);
        whole.set(this.#rest);
        whole.set(bytes, this.#rest.length);
        bytes = whole;
        this.#rest = null;
      }
      if (stream) {
        const cut = unfinished(bytes);
        if (cut) this.#rest = bytes.slice(bytes.length - cut);
        bytes = bytes.subarray(0, bytes.length - cut);
      }
      const text = native.decode(bytes, (this.#fatal ? 1 : 0) | (this.#keepBom || this.#begun ? 2 : 0));
      this.#begun = stream && (this.#begun || bytes.length > 0);
      if (text === undefined) throw new TypeError("the bytes are not valid UTF-8");
      return text;
    }
  }
  define("TextDecoder", TextDecoder);

  define("btoa", function btoa(text) {
    const s = String(text), bytes = new Uint8Array(s.length);
    for (let i = 0; i < s.length; i++) {
      const code = s.charCodeAt(i);
      if (code > 255) throw new DOMException("the text has characters beyond Latin-1", "InvalidCharacterError");
      bytes[i] = code;
    }
    return native.base64Encode(bytes);
  });
  define("atob", function atob(text) {
    const bytes = native.base64Decode(String(text));
    if (bytes === undefined) throw new DOMException("the text is not base64", "InvalidCharacterError");
    let out = "";
    for (let i = 0; i < bytes.length; i += 4096) out += String.fromCharCode(...bytes.subarray(i, i + 4096));
    return out;
  });

  define("structuredClone", function structuredClone(value) {
    const cloned = (v) => {
      try {
        return native.clone(v);
      } catch (e) {
        throw new DOMException(`it cannot be cloned: ${e.message}`, "DataCloneError");
      }
    };
    return cloned(value);
  });

  // Chance

  const hex = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, "0"));
  const crypto = {
    getRandomValues(array) {
      if (!ArrayBuffer.isView(array) || array instanceof DataView || /Float/.test(array.constructor.name))
        throw new DOMException("not an array of integers", "TypeMismatchError");
      if (array.byteLength > 65536) throw new DOMException("more than 65536 bytes", "QuotaExceededError");
      native.random(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
      return array;
    },
    randomUUID() {
      const b = new Uint8Array(16);
      native.random(b);
      b[6] = (b[6] & 15) | 64;
      b[8] = (b[8] & 63) | 128;
      let out = "";
      for (let i = 0; i < 16; i++) out += (i === 4 || i === 6 || i === 8 || i === 10 ? "-" : "") + hex[b[i]];
      return out;
    },
  };
  define("crypto", crypto);

  let origin;
  define("performance", {
    now: () => native.monotonic() - (origin ??= native.monotonic()),
    get timeOrigin() {
      return Date.now() - this.now();
    },
  });

  // Timers: they run while the handler's promise waits for something.

  let timers = [], lastTimer = 0;

  function addTimer(callback, delay, repeat, args) {
    const ms = Math.min(Math.max(Number(delay) || 0, 0), 2 ** 31 - 1);
    if (typeof callback !== "function") throw new TypeError("a timer needs a function");
    const timer = { id: ++lastTimer, callback, args, due: native.monotonic() + ms, every: repeat ? Math.max(ms, 1) : 0 };
    timers.push(timer);
    return timer.id;
  }
  function clearTimer(id) {
    timers = timers.filter((t) => t.id !== id);
  }
  define("setTimeout", function setTimeout(callback, delay, ...args) {
    return addTimer(callback, delay, false, args);
  });
  define("setInterval", function setInterval(callback, delay, ...args) {
    return addTimer(callback, delay, true, args);
  });
  define("clearTimeout", function clearTimeout(id) {
    clearTimer(id);
  });
  define("clearInterval", function clearInterval(id) {
    clearTimer(id);
  });

  // How long until the next timer; undefined when there is none.
  function untilNext() {
    if (!timers.length) return undefined;
    return Math.max(Math.min(...timers.map((t) => t.due)) - native.monotonic(), 0);
  }
  // Runs the first one that is due.
  function runDue() {
    const now = native.monotonic();
    let first;
    for (const t of timers) if (t.due <= now && (!first || t.due < first.due)) first = t;
    if (!first) return;
    if (first.every) first.due = now + first.every;
    else clearTimer(first.id);
    first.callback(...first.args);
  }

  // Requests under way: what waits for each by its number.
  const waiting = new Map();
  hooks.waiting = waiting;

  // Nothing of one call is left for the next, where an instance is used for several.
  hooks.forget = () => {
    timers = [];
    waiting.clear();
    indent = "";
  };

  // Called when no job is left: waits for the first thing to happen. False when nothing can.
  hooks.wait = () => {
    const until = untilNext();
    if (waiting.size) {
      const id = native.host(native.numbers.http_wait, until === undefined ? -1 : Math.ceil(until));
      if (id < 0) return false;
      const done = waiting.get(id);
      waiting.delete(id);
      done?.();
    } else if (until === undefined) {
      return false;
    } else {
      native.sleep(until);
    }
    runDue();
    return true;
  };

  // Events, as far as AbortSignal needs them.

  class Event {
    constructor(type, init = {}) {
      this.type = String(type);
      this.cancelable = !!init.cancelable;
      this.defaultPrevented = false;
      this.target = null;
    }
    preventDefault() {
      this.defaultPrevented = this.cancelable;
    }
  }
  class EventTarget {
    #listeners = [];
    addEventListener(type, listener, options) {
      if (!this.#listeners.some((l) => l.type === type && l.listener === listener))
        this.#listeners.push({ type, listener, once: typeof options === "object" && !!options?.once });
    }
    removeEventListener(type, listener) {
      this.#listeners = this.#listeners.filter((l) => l.type !== type || l.listener !== listener);
    }
    dispatchEvent(event) {
      event.target = this;
      for (const l of [...this.#listeners]) {
        if (l.type !== event.type) continue;
        if (l.once) this.removeEventListener(l.type, l.listener);
        if (typeof l.listener === "function") l.listener.call(this, event);
        else l.listener?.handleEvent(event);
      }
      this[`on${event.type}`]?.(event);
      return !event.defaultPrevented;
    }
  }
  class AbortSignal extends EventTarget {
    aborted = false;
    reason = undefined;
    onabort = null;
    throwIfAborted() {
      if (this.aborted) throw this.reason;
    }
    static abort(reason) {
      const controller = new AbortController();
      controller.abort(reason);
      return controller.signal;
    }
    static timeout(ms) {
      const controller = new AbortController();
      setTimeout(() => controller.abort(new DOMException(`${ms} ms have passed`, "TimeoutError")), ms);
      return controller.signal;
    }
    static any(signals) {
      const controller = new AbortController();
      for (const s of signals) {
        if (s.aborted) controller.abort(s.reason);
        else s.addEventListener("abort", () => controller.abort(s.reason), { once: true });
      }
      return controller.signal;
    }
  }
  class AbortController {
    signal = new AbortSignal();
    abort(reason = new DOMException("it was aborted", "AbortError")) {
      if (this.signal.aborted) return;
      this.signal.aborted = true;
      this.signal.reason = reason;
      this.signal.dispatchEvent(new Event("abort"));
    }
  }
  for (const c of [Event, EventTarget, AbortSignal, AbortController]) define(c.name, c);
  define("self", globalThis);
}
