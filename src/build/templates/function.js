// Greets whom the request's body names.
export default function (name) {
  return `Hello, ${name || "world"}!\n`;
}
