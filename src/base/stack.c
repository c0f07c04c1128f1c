#include "base/stack.h"

#include <pthread.h>
#include <stdint.h>

struct bounds {
    uintptr_t low;
    uintptr_t high;
};

/* Asked once a thread: for a process's first thread it means reading a file. */
static _Thread_local struct bounds bounds;

static void find_bounds(void)
{
    pthread_attr_t attr;
    void *low;
    size_t size;

    bounds = (struct bounds){UINTPTR_MAX, UINTPTR_MAX};
    if (pthread_getattr_np(pthread_self(), &attr) != 0)
        return;
    if (pthread_attr_getstack(&attr, &low, &size) == 0)
        bounds = (struct bounds){(uintptr_t)low, (uintptr_t)low + size};
    pthread_attr_destroy(&attr);
}

bool stack_suffices(size_t bytes)
{
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    if (bounds.high == 0)
        find_bounds();
    return here > bounds.low && here < bounds.high && here - bounds.low >= bytes;
}
