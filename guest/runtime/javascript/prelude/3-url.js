// URL and URLSearchParams of the URL Standard.
(native, hooks) => {
  "use strict";

  const ports = { "http:": "80", "https:": "443", "ws:": "80", "wss:": "443", "ftp:": "21", "file:": "" };
  const special = (scheme) => Object.hasOwn(ports, scheme);

  const set = (text) => new Set(Array.from(text, (c) => c.charCodeAt(0)));
  const fragmentSet = set(' "<>`');
  const querySet = set(' "#<>');
  const specialQuerySet = set(" \"#<>'");
  const pathSet = set(' "#<>?^`{}');
  const userSet = set(' "#<>?^`{}/:;=@[\\]|');

  function encode(text, unsafe) {
    let out = "";
    for (const byte of native.encode(text))
      out += byte < 0x20 || byte > 0x7e || unsafe.has(byte)
        ? `%${byte.toString(16).toUpperCase().padStart(2, "0")}` : String.fromCharCode(byte);
    return out;
  }

  function decodeBytes(text) {
    const bytes = native.encode(text), out = new Uint8Array(bytes.length);
    let n = 0;
    for (let i = 0; i < bytes.length; i++) {
      const code = bytes[i] === 37 && i + 2 < bytes.length
        ? String.fromCharCode(bytes[i + 1], bytes[i + 2]) : "";
      if (/^[0-9a-fA-F]{2}$/.test(code)) {
        out[n++] = parseInt(code, 16);
        i += 2;
      } else {
        out[n++] = bytes[i];
      }
    }
    return out.subarray(0, n);
  }

  // Punycode of RFC 3492.
  function punycode(label) {
    const points = Array.from(label, (c) => c.codePointAt(0));
    let out = points.filter((p) => p < 128).map((p) => String.fromCharCode(p)).join("");
    let done = out.length, n = 128, delta = 0, bias = 72;
    const basic = done;
    if (basic) out += "-";
    while (done < points.length) {
      const next = Math.min(...points.filter((p) => p >= n));
      delta += (next - n) * (done + 1);
      n = next;
      for (const p of points) {
        if (p < n) delta++;
        if (p !== n) continue;
        let q = delta;
        for (let k = 36; ; k += 36) {
          const t = k <= bias ? 1 : k >= bias + 26 ? 26 : k - bias;
          const digit = q < t ? q : t + ((q - t) % (36 - t));
          out += String.fromCharCode(digit + (digit < 26 ? 97 : 22));
          if (q < t) break;
          q = Math.floor((q - t) / (36 - t));
        }
        delta = done === basic ? Math.floor(delta / 700) : delta >> 1;
        delta += Math.floor(delta / (done + 1));
        let k = 0;
        for (; delta > 455; k += 36) delta = Math.floor(delta / 35);
        bias = k + Math.floor((36 * delta) / (delta + 38));
        delta = 0;
        done++;
      }
      delta++;
      n++;
    }
    return `xn--${out}`;
  }

  const bad = (what) => new TypeError(`Invalid URL: ${what}`);

  function ipv4Number(part) {
    if (/^0x[0-9a-f]*$/i.test(part)) return part.length > 2 ? parseInt(part, 16) : 0;
    if (/^0[0-7]*$/.test(part)) return parseInt(part, 8) || 0;
    return /^[0-9]+$/.test(part) ? parseInt(part, 10) : NaN;
  }

  // The host as an IPv4 address, or null for a name.
  function ipv4(host) {
    const parts = host.split(".");
    if (parts.length > 1 && parts.at(-1) === "") parts.pop();
    if (!/^([0-9]+|0x[0-9a-f]*)$/i.test(parts.at(-1))) return null;
    const numbers = parts.map(ipv4Number);
    if (parts.length > 4 || numbers.some(isNaN)) throw bad(host);
    const last = numbers.pop();
    if (numbers.some((n) => n > 255) || last >= 256 ** (4 - numbers.length)) throw bad(host);
    let value = last;
    numbers.forEach((n, i) => (value += n * 256 ** (3 - i)));
    return [24, 16, 8, 0].map((s) => Math.floor(value / 2 ** s) % 256).join(".");
  }

  function ipv6(text) {
    const sides = text.split("::");
    if (sides.length > 2) throw bad(text);
    const groups = (side) => {
      if (side === "") return [];
      const parts = side.split(":"), out = [];
      parts.forEach((part, i) => {
        if (i === parts.length - 1 && part.includes(".")) {
          const four = part.split(".");
          if (four.length !== 4 || !four.every((n) => /^(0|[1-9][0-9]{0,2})$/.test(n) && n < 256)) throw bad(text);
          out.push(four[0] * 256 + +four[1], four[2] * 256 + +four[3]);
        } else if (/^[0-9a-f]{1,4}$/i.test(part)) {
          out.push(parseInt(part, 16));
        } else {
          throw bad(text);
        }
      });
      return out;
    };
    const front = groups(sides[0]), back = sides.length > 1 ? groups(sides[1]) : [];
    const missing = 8 - front.length - back.length;
    if (sides.length > 1 ? missing < 1 : missing !== 0) throw bad(text);
    const all = [...front, ...new Array(Math.max(missing, 0)).fill(0), ...back];
    let best = -1, length = 1;
    for (let i = 0; i < 8; i++) {
      let n = 0;
      while (i + n < 8 && all[i + n] === 0) n++;
      if (n > length) [best, length] = [i, n];
    }
    const hex = (list) => list.map((n) => n.toString(16)).join(":");
    return best < 0 ? hex(all) : `${hex(all.slice(0, best))}::${hex(all.slice(best + length))}`;
  }

  function parseHost(text, isSpecial) {
    if (text.startsWith("[")) {
      if (!text.endsWith("]")) throw bad(text);
      return `[${ipv6(text.slice(1, -1))}]`;
    }
    if (!isSpecial) {
      if (/[\0\t\n\r #/:<>?@[\\\]^|]/.test(text)) throw bad(text);
      return encode(text, new Set());
    }
    let host = native.decode(decodeBytes(text), 0).normalize("NFKC").toLowerCase().replace(/[\u3002\uff0e\uff61]/g, ".");
    host = host.split(".").map((label) => (/[^\0-\x7f]/.test(label) ? punycode(label) : label)).join(".");
    if (host === "" || /[\0-\x20"#%/:<>?@[\\\]^`{|}\x7f]/.test(host)) throw bad(text);
    return ipv4(host) ?? host;
  }

  const dots = (part) => part.replace(/%2e/gi, ".");

  // The segments of a path on top of those of its base.
  function parsePath(text, url, base) {
    const parts = (special(url.scheme) ? text.replace(/\\/g, "/") : text).split("/");
    const path = [...base];
    parts.forEach((part, i) => {
      const last = i === parts.length - 1, plain = dots(part);
      if (plain === "..") {
        if (!(url.scheme === "file:" && path.length === 1 && /^[a-z]:$/i.test(path[0]))) path.pop();
        if (last) path.push("");
      } else if (plain === ".") {
        if (last) path.push("");
      } else {
        path.push(encode(part, pathSet));
      }
    });
    return path;
  }

  function parseAuthority(text, url) {
    const at = text.lastIndexOf("@");
    if (at >= 0) {
      const user = text.slice(0, at), colon = user.indexOf(":");
      url.username = encode(colon < 0 ? user : user.slice(0, colon), userSet);
      url.password = colon < 0 ? "" : encode(user.slice(colon + 1), userSet);
    }
    const [, host, port] = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/s.exec(text.slice(at + 1)) ?? [];
    if (host === undefined) throw bad(text);
    if (host === "" && (special(url.scheme) || at >= 0 || port)) throw bad("it has no host");
    url.host = host === "" ? "" : parseHost(host, special(url.scheme));
    setPort(url, port ?? "");
  }

  function setPort(url, port) {
    if (!/^[0-9]*$/.test(port) || +port > 65535) throw bad(`port ${port}`);
    url.port = port === "" || String(+port) === ports[url.scheme] ? "" : String(+port);
  }

  const empty = () => ({ scheme: "", username: "", password: "", host: null, port: "", path: [], opaque: null, query: null, fragment: null });

  function parse(input, base) {
    const url = empty();
    let rest = String(input).replace(/^[\0-\x20]+|[\0-\x20]+$/g, "").replace(/[\t\n\r]/g, "");
    const hash = rest.indexOf("#");
    if (hash >= 0) {
      url.fragment = encode(rest.slice(hash + 1), fragmentSet);
      rest = rest.slice(0, hash);
    }
    const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(rest);
    if (scheme) {
      url.scheme = scheme[0].toLowerCase();
      rest = rest.slice(scheme[0].length);
    } else if (!base) {
      throw bad(String(input));
    } else if (base.opaque !== null) {
      if (rest !== "" || hash < 0) throw bad(String(input));
      return { ...base, fragment: url.fragment };
    } else {
      url.scheme = base.scheme;
    }
    const isSpecial = special(url.scheme);
    const question = rest.indexOf("?");
    if (question >= 0) {
      url.query = encode(rest.slice(question + 1), isSpecial ? specialQuerySet : querySet);
      rest = rest.slice(0, question);
    }
    if (isSpecial) rest = rest.replace(/\\/g, "/");
    const relative = base && base.opaque === null && base.scheme === url.scheme &&
      (!scheme || (isSpecial && !rest.startsWith("/")));
    if (url.scheme === "file:") {
      const from = relative ? base : null;
      if (rest.startsWith("//")) {
        const [, host, path] = /^\/\/([^/]*)(.*)$/s.exec(rest);
        url.host = host === "" || host.toLowerCase() === "localhost" ? "" : parseHost(host, true);
        url.path = parsePath(path.replace(/^\//, ""), url, []);
      } else {
        url.host = from ? from.host : "";
        url.path = rest.startsWith("/") || !from ? parsePath(rest.replace(/^\//, ""), url, [])
          : rest === "" ? from.path : parsePath(rest, url, from.path.slice(0, -1));
        if (from && rest === "" && url.query === null) url.query = from.query;
      }
      return url;
    }
    if (rest.startsWith("//") || (isSpecial && scheme && !relative)) {
      const [, authority, path] = /^([^/]*)(.*)$/s.exec(isSpecial ? rest.replace(/^\/+/, "") : rest.slice(2));
      parseAuthority(authority, url);
      url.path = path === "" && !isSpecial ? [] : parsePath(path.replace(/^\//, ""), url, []);
      return url;
    }
    if (relative) {
      for (const key of ["username", "password", "host", "port"]) url[key] = base[key];
      if (rest === "") {
        url.path = base.path;
        if (url.query === null) url.query = base.query;
      } else {
        url.path = rest.startsWith("/") ? parsePath(rest.slice(1), url, []) : parsePath(rest, url, base.path.slice(0, -1));
      }
      return url;
    }
    if (rest.startsWith("/")) url.path = parsePath(rest.slice(1), url, []);
    else url.opaque = encode(rest, new Set());
    return url;
  }

  const pathname = (u) => u.opaque ?? (u.path.length ? `/${u.path.join("/")}` : "");

  function serialize(u) {
    let out = u.scheme;
    if (u.host !== null) {
      out += "//";
      if (u.username || u.password) out += `${u.username}${u.password ? `:${u.password}` : ""}@`;
      out += u.host + (u.port ? `:${u.port}` : "");
    } else if (u.opaque === null && u.path.length > 1 && u.path[0] === "") {
      out += "/.";
    }
    out += pathname(u);
    if (u.query !== null) out += `?${u.query}`;
    return u.fragment !== null ? `${out}#${u.fragment}` : out;
  }

  const formSet = set("!\"#$%&'()+,/:;<=>?@[\\]^`{|}~");
  const encodeForm = (text) => encode(text, formSet).replace(/ /g, "+");
  const decodeForm = (text) => native.decode(decodeBytes(text.replace(/\+/g, " ")), 2);

  function parseForm(text) {
    return text.split("&").filter(Boolean).map((pair) => {
      const at = pair.indexOf("=");
      return at < 0 ? [decodeForm(pair), ""] : [decodeForm(pair.slice(0, at)), decodeForm(pair.slice(at + 1))];
    });
  }

  let attach, refresh;

  class URLSearchParams {
    #list = [];
    #changed = null;
    static {
      attach = (params, changed) => (params.#changed = changed);
      refresh = (params, query) => (params.#list = parseForm(query ?? ""));
    }
    constructor(init = "") {
      if (typeof init === "object" && init !== null) {
        if (typeof init[Symbol.iterator] === "function") {
          for (const pair of init) {
            const [name, value, ...more] = pair;
            if (value === undefined || more.length) throw new TypeError("each pair must have a name and a value");
            this.#list.push([String(name), String(value)]);
          }
        } else {
          for (const name of Object.keys(init)) this.#list.push([name, String(init[name])]);
        }
      } else {
        this.#list = parseForm(String(init).replace(/^\?/, ""));
      }
    }
    #update() {
      this.#changed?.(this.toString());
    }
    get size() {
      return this.#list.length;
    }
    append(name, value) {
      this.#list.push([String(name), String(value)]);
      this.#update();
    }
    delete(name, value) {
      this.#list = this.#list.filter(([n, v]) => n !== String(name) || (value !== undefined && v !== String(value)));
      this.#update();
    }
    get(name) {
      return this.#list.find(([n]) => n === String(name))?.[1] ?? null;
    }
    getAll(name) {
      return this.#list.filter(([n]) => n === String(name)).map(([, v]) => v);
    }
    has(name, value) {
      return this.#list.some(([n, v]) => n === String(name) && (value === undefined || v === String(value)));
    }
    set(name, value) {
      const first = this.#list.find(([n]) => n === String(name));
      if (first) {
        first[1] = String(value);
        this.#list = this.#list.filter((pair) => pair === first || pair[0] !== String(name));
      } else {
        this.#list.push([String(name), String(value)]);
      }
      this.#update();
    }
    sort() {
      this.#list.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
      this.#update();
    }
    forEach(callback, self) {
      for (const [name, value] of this) callback.call(self, value, name, this);
    }
    *entries() {
      for (const [name, value] of this.#list) yield [name, value];
    }
    *keys() {
      for (const [name] of this.#list) yield name;
    }
    *values() {
      for (const [, value] of this.#list) yield value;
    }
    [Symbol.iterator]() {
      return this.entries();
    }
    toString() {
      return this.#list.map(([n, v]) => `${encodeForm(n)}=${encodeForm(v)}`).join("&");
    }
    get [Symbol.toStringTag]() {
      return "URLSearchParams";
    }
  }

  class URL {
    #url;
    #params = null;
    constructor(input, base) {
      this.#url = parse(input, base === undefined ? null : parse(base, null));
    }
    static canParse(input, base) {
      return URL.parse(input, base) !== null;
    }
    static parse(input, base) {
      try {
        return new URL(input, base);
      } catch {
        return null;
      }
    }
    #setQuery(query) {
      this.#url.query = query;
      if (this.#params) refresh(this.#params, query);
    }
    // A setter leaves things as they are when the value does not fit.
    #attempt(change) {
      const copy = { ...this.#url };
      try {
        change(copy);
        this.#url = copy;
      } catch {}
    }
    get href() {
      return serialize(this.#url);
    }
    set href(value) {
      this.#url = parse(value, null);
      if (this.#params) refresh(this.#params, this.#url.query);
    }
    get origin() {
      const u = this.#url;
      return special(u.scheme) && u.scheme !== "file:" ? `${u.scheme}//${this.host}` : "null";
    }
    get protocol() {
      return this.#url.scheme;
    }
    set protocol(value) {
      const scheme = /^([a-z][a-z0-9+.-]*):?/i.exec(String(value));
      if (!scheme) return;
      const next = `${scheme[1].toLowerCase()}:`;
      if (special(next) === special(this.#url.scheme))
        this.#attempt((u) => {
          u.scheme = next;
          setPort(u, u.port);
        });
    }
    get username() {
      return this.#url.username;
    }
    set username(value) {
      if (this.#url.host) this.#url.username = encode(String(value), userSet);
    }
    get password() {
      return this.#url.password;
    }
    set password(value) {
      if (this.#url.host) this.#url.password = encode(String(value), userSet);
    }
    get host() {
      return (this.#url.host ?? "") + (this.#url.port ? `:${this.#url.port}` : "");
    }
    set host(value) {
      if (this.#url.opaque !== null) return;
      this.#attempt((u) => {
        const [, host, port] = /^(\[[^\]]*\]|[^:/?#]*)(?::([0-9]*))?/.exec(String(value));
        u.host = parseHost(host, special(u.scheme));
        if (port) setPort(u, port);
      });
    }
    get hostname() {
      return this.#url.host ?? "";
    }
    set hostname(value) {
      if (this.#url.opaque === null) this.#attempt((u) => (u.host = parseHost(String(value), special(u.scheme))));
    }
    get port() {
      return this.#url.port;
    }
    set port(value) {
      if (this.#url.host) this.#attempt((u) => setPort(u, /^[0-9]*/.exec(String(value))[0]));
    }
    get pathname() {
      return pathname(this.#url);
    }
    set pathname(value) {
      if (this.#url.opaque === null) this.#url.path = parsePath(String(value).replace(/^[/\\]/, ""), this.#url, []);
    }
    get search() {
      return this.#url.query ? `?${this.#url.query}` : "";
    }
    set search(value) {
      const text = String(value).replace(/^\?/, "");
      this.#setQuery(value === "" ? null : encode(text, special(this.#url.scheme) ? specialQuerySet : querySet));
    }
    get searchParams() {
      if (!this.#params) {
        this.#params = new URLSearchParams(this.#url.query ?? "");
        attach(this.#params, (query) => (this.#url.query = query === "" ? null : query));
      }
      return this.#params;
    }
    get hash() {
      return this.#url.fragment ? `#${this.#url.fragment}` : "";
    }
    set hash(value) {
      this.#url.fragment = value === "" ? null : encode(String(value).replace(/^#/, ""), fragmentSet);
    }
    toString() {
      return this.href;
    }
    toJSON() {
      return this.href;
    }
    get [Symbol.toStringTag]() {
      return "URL";
    }
  }

  hooks.define("URL", URL);
  hooks.define("URLSearchParams", URLSearchParams);
}
