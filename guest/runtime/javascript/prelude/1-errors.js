// What a failed call says, and what console.log prints.
(native, hooks) => {
  "use strict";

  const own = /\(ubiq:|\(native\)|at ubiq:|<anonymous> \(native/;

  // Where a line of a bundle comes from; src/build/source_lines.h says how that is written.
  function sourceOf(line) {
    const [names, steps] = hooks.lines.split("\n\n");
    let current = 0, from = -1, source = 0;
    for (const step of steps.split(" ")) {
      let count = 1;
      const pair = step.split(":");
      if (pair.length === 2) [source, from] = [Number(pair[0]), Number(pair[1])];
      else if (/^[+-]/.test(step)) from += Number(step) + 1;
      else from += count = Number(step);
      current += count;
      if (current >= line) return from < 0 ? undefined : `${names.split("\n")[source]}:${from - (current - line) + 1}`;
    }
    return undefined;
  }

  // The frames of the function's own source.
  function frames(stack) {
    return String(stack ?? "").split("\n").filter((line) => line.trim() && !own.test(line))
      .map((line) => (hooks.lines === undefined ? line
        : line.replace(/[^\s(]+:(\d+):\d+/, (place, number) => sourceOf(Number(number)) ?? place)))
      .join("\n");
  }

  function describeError(e, depth) {
    const head = e.message ? `${e.name}: ${e.message}` : String(e.name);
    const stack = frames(e.stack);
    const cause = e.cause !== undefined && depth < 4 ? `\nCaused by: ${describe(e.cause, depth + 1)}` : "";
    return head + (stack ? `\n${stack}` : "") + cause;
  }

  function describe(e, depth = 0) {
    try {
      if (e instanceof Error || e instanceof DOMException) return describeError(e, depth);
      return `Uncaught: ${typeof e === "string" ? e : inspect(e)}`;
    } catch {
      return "Uncaught: something that cannot be put into words";
    }
  }

  function inspectObject(v, seen, depth) {
    if (seen.includes(v)) return "[Circular]";
    if (depth > 4) return Array.isArray(v) ? "[Array]" : "[Object]";
    const inner = [...seen, v];
    const each = (x) => inspect(x, inner, depth + 1);
    if (Array.isArray(v)) {
      const shown = v.slice(0, 100).map(each);
      if (v.length > 100) shown.push(`... ${v.length - 100} more`);
      return shown.length ? `[ ${shown.join(", ")} ]` : "[]";
    }
    if (v instanceof Error) return describeError(v, depth);
    if (v instanceof Date) return isNaN(v) ? "Invalid Date" : v.toISOString();
    if (v instanceof RegExp) return String(v);
    if (v instanceof Promise) return "Promise {}";
    if (v instanceof Map) return `Map(${v.size}) { ${[...v].map(([k, x]) => `${each(k)} => ${each(x)}`).join(", ")} }`;
    if (v instanceof Set) return `Set(${v.size}) { ${[...v].map(each).join(", ")} }`;
    if (ArrayBuffer.isView(v) && "length" in v)
      return `${v.constructor.name}(${v.length}) [ ${Array.from(v.slice(0, 100), String).join(", ")} ]`;
    const name = v.constructor?.name;
    const body = Object.keys(v).map((k) => `${/^[\w$]+$/.test(k) ? k : JSON.stringify(k)}: ${each(v[k])}`);
    return `${name && name !== "Object" ? `${name} ` : ""}{${body.length ? ` ${body.join(", ")} ` : ""}}`;
  }

  function inspect(v, seen = [], depth = 0) {
    switch (typeof v) {
      case "string":
        return seen.length ? JSON.stringify(v) : v;
      case "bigint":
        return `${v}n`;
      case "symbol":
        return String(v);
      case "function":
        return v.name ? `[Function: ${v.name}]` : "[Function]";
      case "object":
        return v === null ? "null" : inspectObject(v, seen, depth);
      default:
        return String(v);
    }
  }

  hooks.describe = (e) => describe(e);
  hooks.inspect = inspect;
}
