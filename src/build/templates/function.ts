// Greets whom the request's body names.
export default function (name: string): string {
  return `Hello, ${name || "world"}!\n`;
}
