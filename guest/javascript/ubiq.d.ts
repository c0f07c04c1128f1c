/**
 * The module "ubiq" and the globals of Extism, for functions in TypeScript and for editors.
 *
 * Functions wait by themselves where the host works, so what is returned is the value and not a promise;
 * `await` does no harm. What goes wrong is thrown as a UbiqError.
 */

/** What can be stored and sent: text and bytes as they are, all else as JSON. */
type Payload = string | ArrayBuffer | ArrayBufferView | object | number | boolean | null | undefined;

declare module "ubiq" {
  type Code =
    | "not_found" | "denied" | "invalid" | "too_large" | "over_quota" | "conflict" | "timeout" | "unavailable" | "busy";

  class UbiqError extends Error {
    readonly code: Code;
  }

  interface Expiry {
    /** Milliseconds after which the key is gone; 0, as it is without: never. */
    ttl?: number;
  }

  interface Page {
    /** What the page before ended with: its `next`. */
    after?: string;
    /** How many at most: 100 without it, and never more than 1000. */
    limit?: number;
  }

  const kv: {
    /** The value as text; null when there is none. */
    get(key: string): string | null;
    getBytes(key: string): Uint8Array | null;
    getJson<T = unknown>(key: string): T | null;
    /** Returns once it is on disk. */
    set(key: string, value: Payload, options?: Expiry): void;
    /** Whether it was set: false when the key is there already. */
    setIfAbsent(key: string, value: Payload, options?: Expiry): boolean;
    /** Whether it was set: false when the value is not the expected one. */
    compareAndSet(key: string, expected: Payload, value: Payload, options?: Expiry): boolean;
    /** The number behind the change; a key that is not there counts as 0. */
    increment(key: string, delta?: number): number;
    /** Whether it was there. */
    delete(key: string): boolean;
    /** Keys that begin with the prefix, in byte order. */
    list(prefix?: string, page?: Page): { keys: string[]; next: string | null };
  };

  interface FileInfo {
    path: string;
    size: number;
    type: string;
    modified: string;
  }

  const storage: {
    read(path: string): Uint8Array | null;
    readText(path: string): string | null;
    /** Replaces the file as a whole; returns once it is on disk. */
    write(path: string, data: Payload): void;
    delete(path: string): boolean;
    stat(path: string): FileInfo | null;
    list(prefix?: string, page?: Page): { items: FileInfo[]; next: string | null };
  };

  const events: {
    /** The event's id, once it is on disk. */
    emit(topic: string, payload?: Payload): string;
  };

  /** fetch under other names. */
  const http: {
    fetch(url: string | URL | Request, options?: RequestInit): Promise<Response>;
    get(url: string | URL, options?: RequestInit): Promise<Response>;
    post(url: string | URL, body?: BodyInit, options?: RequestInit): Promise<Response>;
    put(url: string | URL, body?: BodyInit, options?: RequestInit): Promise<Response>;
    patch(url: string | URL, body?: BodyInit, options?: RequestInit): Promise<Response>;
    delete(url: string | URL, options?: RequestInit): Promise<Response>;
  };

  const config: { get(key: string): string | null };

  type Attributes = Record<string, unknown>;

  const log: Record<"trace" | "debug" | "info" | "warn" | "error", (message: string, attributes?: Attributes) => void>;

  const trace: {
    attribute(key: string, value: string | number | boolean): void;
    event(name: string, attributes?: Attributes): void;
  };

  /** Another function's output, as text. */
  const invoke: {
    (name: string, payload?: Payload): string;
    bytes(name: string, payload?: Payload): Uint8Array;
    json<T = unknown>(name: string, payload?: unknown): T;
  };

  interface RequestInfo {
    readonly id: string;
    readonly method: string;
    readonly path: string;
    /** The path with the query as it came. */
    readonly url: string;
    readonly route: string;
    readonly params: Record<string, string>;
    /** Of a name that came more than once, the first value. */
    readonly query: Record<string, string>;
    readonly headers: Record<string, string>;
    readonly trigger: "http" | "event" | "cron" | "invoke";
    /** What middleware has found out, where it is in use: the claims of a token, */
    readonly claims?: Record<string, unknown>;
    /** which API key it was, */
    readonly api_key?: string;
    /** the request's id, */
    readonly request_id?: string;
    /** and what functions as middleware have said, by their names. */
    readonly context?: Record<string, any>;
  }

  const request: RequestInfo;

  const response: {
    status(code: number): void;
    header(name: string, value: string): void;
  };

  /** A handler's second argument. */
  interface Context extends RequestInfo {
    readonly request: RequestInfo;
    readonly response: typeof response;
  }

  /** What a handler may return: nothing, text, bytes, a Response, or what becomes JSON. */
  type Result = void | string | ArrayBuffer | ArrayBufferView | Response | object | number | boolean | null;

  /**
   * The input is the parsed body where that is JSON, text where it is text, else bytes. That of `before` and
   * `after`, of events and of ticks of cron is always an object.
   */
  type Handler<Input = any> = (input: Input, context: Context) => Result | Promise<Result>;
}

declare const Host: {
  inputString(): string;
  inputBytes(): ArrayBuffer;
  outputString(text: string): boolean;
  outputBytes(bytes: ArrayBuffer | ArrayBufferView): boolean;
  /** The host's own functions, as a file `NAME.d.ts` beside the source declares them. */
  getFunctions(): import("extism:host").user;
  arrayBufferToBase64(bytes: ArrayBuffer): string;
  base64ToArrayBuffer(text: string): ArrayBuffer;
};

/** For files that declare functions of a host. */
declare type I32 = number;
declare type I64 = number | bigint;
declare type F32 = number;
declare type F64 = number;
declare type PTR = I64;

declare module "extism:host" {
  interface user {}
}

/** A block of memory that a function of the host can be given, or gave; there until it is freed. */
interface MemoryHandle {
  offset: PTR;
  len: I64;
  readString(): string;
  readBytes(): ArrayBuffer;
  readJsonObject<T = any>(): T;
  readUInt32(): number;
  readUInt64(): bigint;
  readFloat32(): number;
  readUFloat64(): number;
  free(): void;
}

declare const Memory: {
  fromString(text: string): MemoryHandle;
  fromBuffer(bytes: ArrayBuffer | ArrayBufferView): MemoryHandle;
  fromJsonObject(value: unknown): MemoryHandle;
  allocUInt32(n: number): MemoryHandle;
  allocUInt64(n: bigint): MemoryHandle;
  allocFloat32(n: number): MemoryHandle;
  allocFloat64(n: number): MemoryHandle;
  /** The block at an offset; undefined if there is none, or it is empty. */
  find(offset: PTR): MemoryHandle | undefined;
};

declare const Config: { get(key: string): string | null };

declare const Var: {
  set(name: string, value: string | number | ArrayBuffer | ArrayBufferView): void;
  getString(name: string): string | null;
  getBytes(name: string): ArrayBuffer | null;
  getNumber(name: string): number;
};

declare const Http: {
  request(
    request: { url: string; method?: string; headers?: Record<string, string> },
    body?: string | ArrayBuffer,
  ): { body: string; status: number; headers: Record<string, string> };
};
