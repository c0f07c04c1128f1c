"""Ubiquitous in a Python program: opens a project and calls its functions, as libubiq.h says.

    import ubiq

    with ubiq.Project("shop") as shop:
        print(shop.invoke("hello", b"Ada"))
        answer = shop.request("GET", "/users/7")
        print(answer.status, answer.headers["Content-Type"], answer.body)

Everything may be used from any thread. Nothing but the standard library is needed, and libubiq.so: the
one that the environment variable UBIQ_LIBRARY names, or else the system's.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import ctypes
import dataclasses
import email.message
import enum
import json
import logging
import math
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from typing import Any, Generic, TypeVar, Union

__all__ = ["Code", "Error", "Project", "Response"]

T = TypeVar("T")


class Code(enum.IntEnum):
    """Why there is an Error."""

    NOT_FOUND = -1
    DENIED = -2
    INVALID = -3
    TOO_LARGE = -4
    TIMEOUT = -7
    FAILED = -8
    BUSY = -9
    CANCELLED = -10
    STOPPED = -11
    IO = -12
    NO_MEMORY = -13


class Error(Exception):
    """A project that could not be opened, or a call that failed. `invocation` is the id by which the log
    names the call, or ""."""

    def __init__(self, code: int, text: str, invocation: str = "") -> None:
        super().__init__(text)
        self.code = Code(code)
        self.invocation = invocation


@dataclasses.dataclass(frozen=True)
class Response:
    """The answer to a request. Names of headers are found in any case; get_all gives those that come more
    than once."""

    status: int
    headers: email.message.Message
    body: bytes
    invocation: str

    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)


# --- The library ---

_LOG_LEVELS = (5, logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR)

_LogFunction = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(ctypes.c_char),
                                ctypes.c_size_t)
_DoneFunction = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)


class _Options(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("environment", ctypes.c_char_p),
                ("listen", ctypes.c_char_p), ("access_log", ctypes.c_char_p),
                ("workers", ctypes.c_uint32), ("hold_events", ctypes.c_uint32),
                ("log", _LogFunction), ("log_user", ctypes.c_void_p)]


class _Request(ctypes.Structure):
    _fields_ = [("method", ctypes.c_char_p), ("target", ctypes.c_char_p),
                ("headers", ctypes.POINTER(ctypes.c_char_p)), ("header_count", ctypes.c_size_t),
                ("body", ctypes.c_char_p), ("body_len", ctypes.c_size_t)]


def _load() -> ctypes.CDLL:
    library = ctypes.CDLL(os.environ.get("UBIQ_LIBRARY", "libubiq.so"))
    pointer, text, size = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t
    out, ms = ctypes.POINTER(ctypes.c_void_p), ctypes.c_uint64
    invoke = [pointer, text, text, size, ms]
    request = [pointer, ctypes.POINTER(_Request), ms]
    for name, result, arguments in (
            ("version", text, []),
            ("project_open", ctypes.c_int, [out, text, ctypes.POINTER(_Options), out]),
            ("text_free", None, [pointer]),
            ("project_address", text, [pointer]),
            ("project_invoke", ctypes.c_int, invoke + [out]),
            ("project_invoke_async", ctypes.c_int, invoke + [_DoneFunction, pointer, out]),
            ("project_request", ctypes.c_int, request + [out]),
            ("project_request_async", ctypes.c_int, request + [_DoneFunction, pointer, out]),
            ("project_stop", ctypes.c_int, [pointer, ctypes.c_uint32]),
            ("project_free", ctypes.c_int, [pointer]),
            ("call_cancel", None, [pointer]),
            ("call_free", None, [pointer]),
            ("result_code", ctypes.c_int, [pointer]),
            ("result_error", text, [pointer]),
            ("result_output", pointer, [pointer, ctypes.POINTER(size)]),
            ("result_invocation", text, [pointer]),
            ("result_status", ctypes.c_int, [pointer]),
            ("result_header_count", size, [pointer]),
            ("result_header_name", text, [pointer, size]),
            ("result_header_value", text, [pointer, size]),
            ("result_free", None, [pointer])):
        function = getattr(library, f"ubiq_{name}")
        function.restype = result
        function.argtypes = arguments
    return library


_library = _load()


def version() -> str:
    """The library's version."""
    return _text(_library.ubiq_version())


def _text(data: bytes) -> str:
    return data.decode(errors="replace")


def _c_text(text: str | None) -> bytes | None:
    if text is not None and "\0" in text:
        raise ValueError("a text has a NUL in it")
    return None if text is None else text.encode()


def _milliseconds(timeout: float | None) -> int:
    if timeout is None:
        return 0
    if timeout <= 0:
        raise ValueError("a timeout is not more than 0")
    return min(math.ceil(timeout * 1000), 2**63)


def _read_output(result: int | None) -> bytes:
    length = ctypes.c_size_t()
    data = _library.ubiq_result_output(result, ctypes.byref(length))
    return ctypes.string_at(data, length.value)


def _read_response(result: int | None) -> Response:
    headers = email.message.Message()
    for i in range(_library.ubiq_result_header_count(result)):
        name = _library.ubiq_result_header_name(result, i).decode("latin-1")
        headers[name] = _library.ubiq_result_header_value(result, i).decode("latin-1")
    return Response(_library.ubiq_result_status(result), headers, _read_output(result),
                    _text(_library.ubiq_result_invocation(result)))


def _take(result: int | None, read: Callable[[int | None], T]) -> T:
    """Reads a result and frees it; raises what it says."""
    try:
        code = _library.ubiq_result_code(result)
        if code:
            raise Error(code, _text(_library.ubiq_result_error(result)),
                        _text(_library.ubiq_result_invocation(result)))
        return read(result)
    finally:
        _library.ubiq_result_free(result)


Headers = Union[Mapping[str, str], Iterable["tuple[str, str]"]]


def _request_of(method: str, target: str, body: bytes, headers: Headers) -> _Request:
    pairs = list(headers.items() if isinstance(headers, Mapping) else headers)
    flat = [_c_text(part) for pair in pairs for part in pair]
    return _Request(_c_text(method), _c_text(target), (ctypes.c_char_p * len(flat))(*flat),
                    len(pairs), body, len(body))


# --- Asynchronous calls ---

class _Call(Generic[T]):
    """One that is under way, and who is told."""

    _under_way: dict[int, _Call[Any]] = {}

    def __init__(self, read: Callable[[int | None], T]) -> None:
        self.future: Future[T] = Future()
        self._read = read
        self._lock = threading.Lock()
        self._handle: int | None = None
        self._cancelled = False

    def begin(self, begin: Callable[[int, Any], int]) -> Future[T]:
        """`begin` starts it, with what identifies it and the place for its handle."""
        handle = ctypes.c_void_p()
        self.future.set_running_or_notify_cancel()
        _Call._under_way[id(self)] = self
        code = begin(id(self), ctypes.byref(handle))
        if code:
            del _Call._under_way[id(self)]
            raise Error(code, "the project has been stopped" if code == Code.STOPPED else "out of memory")
        with self._lock:
            self._handle = handle.value
        if self.future.done():
            self._free()
        return self.future

    def cancel(self) -> None:
        with self._lock:
            if self._handle:
                _library.ubiq_call_cancel(self._handle)

    def _free(self) -> None:
        with self._lock:
            handle, self._handle = self._handle, None
        _library.ubiq_call_free(handle)

    def end(self, result: int | None) -> None:
        try:
            value = _take(result, self._read)
        except BaseException as e:  # the caller's, whatever it is
            self.future.set_exception(e)
        else:
            self.future.set_result(value)
        self._free()


def _on_done(user: int, result: int | None) -> None:
    _Call._under_way.pop(user).end(result)


_DONE = _DoneFunction(_on_done)


async def _await(call: _Call[T], future: Future[T]) -> T:
    try:
        return await asyncio.wrap_future(future)
    except asyncio.CancelledError:
        call.cancel()
        raise


class Project:
    """A project that is being served: open from when it is made until close, which the end of a `with`
    block calls."""

    def __init__(self, directory: str | os.PathLike[str], *, environment: str | None = None,
                 listen: str | None = None, access_log: str | os.PathLike[str] | None = None,
                 workers: int = 0, hold_events: bool = False,
                 log: Callable[[int, str], None] | None = None) -> None:
        """Opens the project in a directory; Error when something is wrong with it.

        environment  for [env] of ubiq.toml; "production" without
        listen       "ADDRESS:PORT" to serve HTTP there too (port 0: any); nowhere without
        access_log   the file for a line of each request
        workers      threads that run functions; 0: what ubiq.toml says, or one a core
        hold_events  events are kept and not delivered, and cron does not tick
        log          takes the lines of the log, with their level in the numbers of logging:
                     logging.getLogger("shop").log does. It must not wait for the project
        """
        self._changed = threading.Condition()
        self._users = 0
        self._handle: int | None = None
        self._log = _LogFunction(lambda user, level, line, length: log(
            _LOG_LEVELS[level], _text(line[:length]))) if log else _LogFunction()
        options = _Options(ctypes.sizeof(_Options), _c_text(environment), _c_text(listen),
                           os.fsencode(access_log) if access_log is not None else None, workers,
                           hold_events, self._log)
        handle, problem = ctypes.c_void_p(), ctypes.c_void_p()
        code = _library.ubiq_project_open(ctypes.byref(handle), os.fsencode(directory),
                                          ctypes.byref(options), ctypes.byref(problem))
        if code:
            text = ctypes.string_at(problem.value) if problem.value else b"out of memory"
            _library.ubiq_text_free(problem)
            raise Error(code, _text(text))
        self._handle = handle.value
        _open.add(self)

    def invoke(self, function: str, input: bytes = b"", *, timeout: float | None = None) -> bytes:
        """Calls a function by its name ("users/list") and gives its output. `timeout` is in seconds, besides
        the function's own limits. Error when it fails."""
        result = ctypes.c_void_p()
        with self._use() as handle:
            _library.ubiq_project_invoke(handle, _c_text(function), input, len(input),
                                         _milliseconds(timeout), ctypes.byref(result))
        return _take(result.value, _read_output)

    def request(self, method: str, target: str, body: bytes = b"", headers: Headers = (), *,
                timeout: float | None = None) -> Response:
        """Has a request answered by routes, middleware and functions, without a socket. An answer with any
        status is an answer; Error when there is none."""
        result = ctypes.c_void_p()
        request = _request_of(method, target, body, headers)
        with self._use() as handle:
            _library.ubiq_project_request(handle, ctypes.byref(request), _milliseconds(timeout),
                                          ctypes.byref(result))
        return _take(result.value, _read_response)

    def submit(self, function: str, input: bytes = b"", *, timeout: float | None = None) -> Future[bytes]:
        """Begins what invoke does, and gives a future. Its callbacks run in a thread of the project's, and
        must not wait for calls."""
        return self._begin_invoke(function, input, timeout)[1]

    async def invoke_async(self, function: str, input: bytes = b"", *,
                           timeout: float | None = None) -> bytes:
        """The same as invoke for asyncio. When the task is cancelled the call is too."""
        return await _await(*self._begin_invoke(function, input, timeout))

    async def request_async(self, method: str, target: str, body: bytes = b"", headers: Headers = (),
                            *, timeout: float | None = None) -> Response:
        """The same as request for asyncio."""
        call = _Call(_read_response)
        request = _request_of(method, target, body, headers)
        with self._use() as handle:
            future = call.begin(lambda user, out: _library.ubiq_project_request_async(
                handle, ctypes.byref(request), _milliseconds(timeout), _DONE, user, out))
        return await _await(call, future)

    @property
    def address(self) -> str:
        """Where it listens, "127.0.0.1:3000", or ""."""
        with self._use() as handle:
            return _text(_library.ubiq_project_address(handle))

    def close(self, drain: float = 0) -> None:
        """Begins no more calls, lets those that were begun end for `drain` seconds, cancels the others, and
        frees everything. Not from a callback."""
        try:
            with self._use() as handle:
                if _library.ubiq_project_stop(handle, min(int(drain * 1000), 2**32 - 1)):
                    raise Error(Code.INVALID, "a callback may not close a project")
        except Error as e:
            if e.code == Code.STOPPED:
                return
            raise
        with self._changed:
            if not self._handle:
                return
            self._handle = None
            while self._users:
                self._changed.wait()
        _library.ubiq_project_free(handle)
        _open.discard(self)

    def __enter__(self) -> Project:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _begin_invoke(self, function: str, input: bytes,
                      timeout: float | None) -> tuple[_Call[bytes], Future[bytes]]:
        call = _Call(_read_output)
        with self._use() as handle:
            return call, call.begin(lambda user, out: _library.ubiq_project_invoke_async(
                handle, _c_text(function), input, len(input), _milliseconds(timeout), _DONE,
                user, out))

    @contextlib.contextmanager
    def _use(self) -> Iterator[int]:
        """The handle, which stays for as long."""
        with self._changed:
            if not self._handle:
                raise Error(Code.STOPPED, "the project has been closed")
            self._users += 1
            handle = self._handle
        try:
            yield handle
        finally:
            with self._changed:
                self._users -= 1
                self._changed.notify_all()


_open: set[Project] = set()


@atexit.register
def _close_all() -> None:
    """Threads of a project must not call back into an interpreter that ends."""
    for project in list(_open):
        project.close()
