// The globals of Extism's JavaScript PDK.
(native, hooks) => {
  "use strict";
  const { define } = hooks;

  // Whether the function has set its output itself, so that what it returns is a code and not the output.
  hooks.outputWasSet = false;
  function output(value) {
    native.output(value);
    hooks.outputWasSet = true;
    return true;
  }

  // What the source declares of the host beside it, "name:params:result" a line, as functions.
  function getFunctions() {
    const functions = {};
    for (const [number, line] of (hooks.host || "").split("\n").entries()) {
      const [name, params, result] = line.split(":");
      if (name) functions[name] = (...values) => native.own(number, params, result, values);
    }
    return functions;
  }

  define("Host", {
    inputBytes: () => native.inputBytes().buffer,
    inputString: () => native.inputText(),
    outputBytes: (bytes) => output(bytes),
    outputString: (text) => output(String(text)),
    getFunctions,
    arrayBufferToBase64: (bytes) => native.base64Encode(bytes),
    base64ToArrayBuffer: (text) => {
      const bytes = native.base64Decode(String(text));
      if (bytes === undefined) throw new TypeError("the text is not base64");
      return bytes.buffer;
    },
  });

  // A block of memory that the source and functions of the host share.
  class MemoryHandle {
    constructor(offset, len) {
      this.offset = offset;
      this.len = len;
    }
    readBytes() {
      return native.blockBytes(this.offset);
    }
    readString() {
      return native.decode(this.readBytes(), 0);
    }
    readJsonObject() {
      return JSON.parse(this.readString());
    }
    readUInt32() {
      return new DataView(this.readBytes()).getUint32(0, true);
    }
    readUInt64() {
      return new DataView(this.readBytes()).getBigUint64(0, true);
    }
    readFloat32() {
      return new DataView(this.readBytes()).getFloat32(0, true);
    }
    readUFloat64() {
      return new DataView(this.readBytes()).getFloat64(0, true);
    }
    free() {
      native.blockFree(this.offset);
    }
  }
  const handle = (offset) => new MemoryHandle(offset, native.blockSize(offset));
  const put = (data) => handle(native.blockPut(data));

  define("MemoryHandle", MemoryHandle);
  define("Memory", {
    fromString: (text) => put(String(text)),
    fromBuffer: (bytes) => put(bytes),
    fromJsonObject: (value) => put(JSON.stringify(value)),
    allocUInt32: (n) => put(Uint32Array.of(n)),
    allocUInt64: (n) => put(BigUint64Array.of(BigInt(n))),
    allocFloat32: (n) => put(Float32Array.of(n)),
    allocFloat64: (n) => put(Float64Array.of(n)),
    // undefined for what is no block.
    find(offset) {
      const found = handle(offset);
      return found.len ? found : undefined;
    },
  });

  define("Config", { get: (key) => native.config(String(key)) });

  define("Var", {
    set: (name, value) => native.varSet(String(name), typeof value === "number" ? String(value) : value),
    getBytes: (name) => native.varGet(String(name))?.buffer ?? null,
    getString(name) {
      const bytes = native.varGet(String(name));
      return bytes && native.decode(bytes, 0);
    },
    getNumber(name) {
      const bytes = native.varGet(String(name));
      return bytes ? Number(native.decode(bytes, 0)) : 0;
    },
  });

  define("Http", {
    request(request, body) {
      const head = JSON.stringify({ url: request.url, method: request.method ?? "GET", headers: request.headers ?? {} });
      const block = native.httpRequest(head, body ?? null);
      const text = native.text(block), headers = native.httpHeaders();
      return { body: text, status: native.httpStatus(), headers: headers ? JSON.parse(headers) : {} };
    },
  });
}
