#include "build/stamp.h"

#include "build/limits.h"

#include <sys/stat.h>
#include <time.h>

static int64_t nanoseconds(struct timespec t)
{
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

stamp stamp_of(const char *path)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return (stamp){.size = -1};
    return (stamp){.size = st.st_size, .changed_ns = nanoseconds(st.st_mtim)};
}

int64_t stamp_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return nanoseconds(t);
}

bool stamp_is_racy(stamp s, int64_t when)
{
    return s.changed_ns > when - BUILD_RACY_NS;
}
