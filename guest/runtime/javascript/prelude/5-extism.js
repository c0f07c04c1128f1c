// The globals of Extism's JavaScript PDK.
(native, hooks) => {
  "use strict";
  const { define } = hooks;

  // Whether the function has set its output itself, so that what it returns is a code and not the output.
  hooks.outputWasSet = false;
  function output(value) {
    native.output(value);
    hooks.outputWasSet = true;
  }

  define("Host", {
    inputBytes: () => native.inputBytes().buffer,
    inputString: () => native.inputText(),
    outputBytes: (bytes) => output(bytes),
    outputString: (text) => output(String(text)),
    arrayBufferToBase64: (bytes) => native.base64Encode(bytes),
    base64ToArrayBuffer: (text) => {
      const bytes = native.base64Decode(String(text));
      if (bytes === undefined) throw new TypeError("the text is not base64");
      return bytes.buffer;
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
