// A plug-in in JavaScript for any Extism host that has the platform's functions.
import { kv } from "ubiq";

/** What the host has under the input. */
export function call_host() {
  return kv.get(Host.inputString());
}
