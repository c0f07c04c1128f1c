#ifndef LIBUBIQ_H
#define LIBUBIQ_H

/* Ubiquitous in a program of one's own: opens a project's directory as `ubiq serve` does, and
 * calls its functions by name, or with requests that go through routes and middleware without a
 * socket. Services, permissions and limits are in force as ubiq.toml has them.
 *
 * Threads. Every function may be called from any thread, for one project by several at once,
 * unless it says otherwise. A project has threads of its own: workers, and a few for code,
 * database and log. Callbacks run in those; they must return soon and must not call what waits
 * (ubiq_project_invoke, _request, _stop, _free), which is refused with UBIQ_INVALID there. They
 * may begin asynchronous calls.
 *
 * Ownership. What an out-parameter gives is the caller's, and freed by the function named with it;
 * all else that is returned belongs to the object and lives as long. What is passed in is needed
 * only until the function returns, but for `user` of callbacks, which is never touched. Strings
 * are UTF-8 with a NUL.
 *
 * The process. Nothing of it is changed: no signal's disposition, no limit, and nothing is written
 * to standard output or error. (The engine handles SIGSEGV, SIGBUS, SIGILL and SIGFPE of its own
 * code and hands others on to who was there before, as any WebAssembly engine does; SQLite, where
 * the program uses the same, has a further VFS, which is not its default. The library stays loaded
 * after dlclose.) Signals meant for the program are blocked in the project's threads. A child made
 * with fork must not use a project.
 *
 * There may be several projects at once, and several of one directory, here and in other
 * processes: they share its data, and each event is delivered to one of them. */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What came of it. The numbers are those that host functions give to functions, as far as there
 * are such. */
enum ubiq_code {
    UBIQ_OK = 0,
    UBIQ_NOT_FOUND = -1,  /* there is no such directory, or function */
    UBIQ_DENIED = -2,     /* the system does not allow it */
    UBIQ_INVALID = -3,    /* an argument, or something in the project, is not what it must be */
    UBIQ_TOO_LARGE = -4,  /* the input is larger than the function takes */
    UBIQ_TIMEOUT = -7,    /* it took longer than its limits or the caller allow, or more CPU time */
    UBIQ_FAILED = -8,     /* the function failed; the log says more */
    UBIQ_BUSY = -9,       /* there is no room for another call, or the port is in use */
    UBIQ_CANCELLED = -10, /* ubiq_call_cancel ended it */
    UBIQ_STOPPED = -11,   /* the project has been stopped, before it began or before it ended */
    UBIQ_IO = -12,
    UBIQ_NO_MEMORY = -13
};

/* As functions name them in ubiq_log. */
enum ubiq_log_level {
    UBIQ_LOG_TRACE,
    UBIQ_LOG_DEBUG,
    UBIQ_LOG_INFO,
    UBIQ_LOG_WARN,
    UBIQ_LOG_ERROR
};

typedef struct ubiq_project ubiq_project;
typedef struct ubiq_call ubiq_call;     /* one that is under way */
typedef struct ubiq_result ubiq_result; /* what came of one */

/* Takes a line of the log, without its newline (lines that go on are indented): what functions log
 * and what is said about them. It has the time, the level, the function and the invocation
 * (ubiq_result_invocation) in it. One at a time, in a thread of the project's. */
typedef void (*ubiq_log_fn)(void *user, enum ubiq_log_level level, const char *line, size_t len);

/* Told that a call has ended, in a thread of the project's or in the one that stops it. `result` is
 * the callee's, to be freed with ubiq_result_free, by any thread; NULL when there was no memory for
 * it. */
typedef void (*ubiq_done_fn)(void *user, ubiq_result *result);

/* All-zero but for `size` are the defaults. */
typedef struct ubiq_options {
    size_t size;             /* sizeof(ubiq_options) */
    const char *environment; /* for [env] of ubiq.toml; NULL: "production" */
    const char *listen;      /* "ADDRESS:PORT" to serve HTTP there too; port 0: any. NULL: nowhere.
                                What ubiq.toml says of listening, for administration too, does not
                                count */
    const char *access_log;  /* the file for a line of each request; NULL: none */
    uint32_t workers;        /* threads that run functions; 0: what ubiq.toml says, or one a core */
    uint32_t hold_events;    /* not 0: events are kept and not delivered, and cron does not tick */
    ubiq_log_fn log;         /* NULL: the log is dropped */
    void *log_user;
} ubiq_options;

/* A request as a client would send it. */
typedef struct ubiq_request {
    const char *method;
    const char *target;         /* path and query: "/users/7?full=1" */
    const char *const *headers; /* name, value, name, value. Content-Length is set by itself;
                                   nothing that is about the connection may be among them */
    size_t header_count;        /* pairs */
    const void *body;
    size_t body_len;
} ubiq_request;

/* The version of the library: "0.1.0". */
const char *ubiq_version(void);

/* Opens the project in `directory` and begins to serve it: its events and cron from now on, HTTP
 * if the options say so. `options` may be NULL. Functions need not be compiled when it returns;
 * calls wait for that. On failure returns a code below 0, `*out` is NULL, and `*error_text`,
 * unless `error_text` is NULL, says what is wrong and where, or is NULL without memory; for
 * ubiq_text_free. */
int ubiq_project_open(ubiq_project **out, const char *directory, const ubiq_options *options,
                      char **error_text);

/* Frees a text that ubiq_project_open gave. Takes NULL. */
void ubiq_text_free(char *text);

/* Where it listens, "127.0.0.1:3000", or "" when nowhere. */
const char *ubiq_project_address(const ubiq_project *p);

/* Calls the function of a name ("users/list") with an input, and waits until it has ended; for
 * `timeout_ms` milliseconds at the most if that is not 0 (it is cancelled then), and no longer
 * than the function may take. Returns the code, the same as ubiq_result_code(*result). `*result`
 * is for ubiq_result_free; NULL without memory. */
int ubiq_project_invoke(ubiq_project *p, const char *name, const void *input, size_t input_len,
                        uint64_t timeout_ms, ubiq_result **result);

/* The same without waiting: returns 0, and `done` is called once, maybe before this returns; or
 * UBIQ_STOPPED or UBIQ_NO_MEMORY, and it is not called. `call`, unless it is NULL, gets what
 * ubiq_call_cancel takes, for ubiq_call_free. */
int ubiq_project_invoke_async(ubiq_project *p, const char *name, const void *input,
                              size_t input_len, uint64_t timeout_ms, ubiq_done_fn done, void *user,
                              ubiq_call **call);

/* Has a request answered, as ubiq_project_invoke calls a function. Whatever the answer's status,
 * it is UBIQ_OK; the result has status, headers and body. The asker has no address: where
 * middleware asks for one, there is none. */
int ubiq_project_request(ubiq_project *p, const ubiq_request *request, uint64_t timeout_ms,
                         ubiq_result **result);

/* The same without waiting, as ubiq_project_invoke_async. */
int ubiq_project_request_async(ubiq_project *p, const ubiq_request *request, uint64_t timeout_ms,
                               ubiq_done_fn done, void *user, ubiq_call **call);

/* Asks for a call to be ended; `done` is told UBIQ_CANCELLED unless it has ended before. */
void ubiq_call_cancel(ubiq_call *call);

/* Gives the handle back; the call goes on, and the project may be gone before. Takes NULL. */
void ubiq_call_free(ubiq_call *call);

/* Begins no more calls, lets those that were begun end for `drain_ms` milliseconds, and cancels
 * what is left with UBIQ_STOPPED. When it returns all of them have ended, and all callbacks have
 * returned but the log's; what is called later is UBIQ_STOPPED. What was stored is on disk. Once
 * is enough. Returns 0 or UBIQ_INVALID. */
int ubiq_project_stop(ubiq_project *p, uint32_t drain_ms);

/* Stops it at once, unless it has stopped, writes what is left of the log, and frees it. No other
 * thread may use it any more. Waits for code that is being compiled. Takes NULL. Returns 0, or
 * UBIQ_INVALID from a callback, when nothing has happened. */
int ubiq_project_free(ubiq_project *p);

/* The functions of results take NULL, which stands for one that there was no memory for. What they
 * return lives until ubiq_result_free. */

int ubiq_result_code(const ubiq_result *r);

/* What went wrong, for a person: of a function that failed its own words, if it set any; "" when
 * nothing did. */
const char *ubiq_result_error(const ubiq_result *r);

/* The function's output, or the answer's body, with a NUL behind it that does not count; never
 * NULL. */
const void *ubiq_result_output(const ubiq_result *r, size_t *len);

/* The id by which the log names the call, or "". */
const char *ubiq_result_invocation(const ubiq_result *r);

/* Of a request's answer; 0 when there is none. */
int ubiq_result_status(const ubiq_result *r);
size_t ubiq_result_header_count(const ubiq_result *r);

/* Of header number `i`, as it was sent; "" past the last. */
const char *ubiq_result_header_name(const ubiq_result *r, size_t i);
const char *ubiq_result_header_value(const ubiq_result *r, size_t i);

/* Frees it. Takes NULL. */
void ubiq_result_free(ubiq_result *r);

#ifdef __cplusplus
}
#endif

#endif
