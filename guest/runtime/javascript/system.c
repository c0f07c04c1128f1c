/* Time, in place of libc's: whoever asks for it while a function's top level runs ahead of its calls has
 * asked for something that is different each time. And no files: libc's output functions, which the engine
 * has for its own faults, find none, so that the runtime imports nothing for them. */
#include "runtime.h"

#include <errno.h>
#include <sys/time.h>
#include <time.h>
#include <wasi/api.h>

static int64_t now_ns(__wasi_clockid_t clock)
{
    __wasi_timestamp_t t = 0;

    runtime_note_impure();
    if (!runtime_context) /* being built, always in the same way */
        return 1;
    return __wasi_clock_time_get(clock, 1000, &t) == 0 ? (int64_t)t : 0;
}

int clock_gettime(clockid_t clock, struct timespec *out)
{
    int64_t t =
        now_ns(clock == CLOCK_REALTIME ? __WASI_CLOCKID_REALTIME : __WASI_CLOCKID_MONOTONIC);

    out->tv_sec = t / 1000000000;
    out->tv_nsec = (long)(t % 1000000000);
    return 0;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    int64_t t = now_ns(__WASI_CLOCKID_REALTIME);

    (void)zone;
    out->tv_sec = t / 1000000000;
    out->tv_usec = (suseconds_t)(t / 1000 % 1000000);
    return 0;
}

#define WASI(name) __imported_wasi_snapshot_preview1_##name

int32_t WASI(fd_close)(int32_t fd);
int32_t WASI(fd_fdstat_get)(int32_t fd, int32_t out);
int32_t WASI(fd_seek)(int32_t fd, int64_t offset, int32_t whence, int32_t out);
int32_t WASI(fd_write)(int32_t fd, int32_t vectors, int32_t count, int32_t out);

int32_t WASI(fd_close)(int32_t fd)
{
    (void)fd;
    return __WASI_ERRNO_BADF;
}

int32_t WASI(fd_fdstat_get)(int32_t fd, int32_t out)
{
    (void)fd, (void)out;
    return __WASI_ERRNO_BADF;
}

int32_t WASI(fd_seek)(int32_t fd, int64_t offset, int32_t whence, int32_t out)
{
    (void)fd, (void)offset, (void)whence, (void)out;
    return __WASI_ERRNO_BADF;
}

int32_t WASI(fd_write)(int32_t fd, int32_t vectors, int32_t count, int32_t out)
{
    (void)fd, (void)vectors, (void)count, (void)out;
    return __WASI_ERRNO_BADF;
}
