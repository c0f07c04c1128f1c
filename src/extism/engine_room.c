#include "extism/engine_internal.h"

#include "extism/engine_stacks.h"
#include "extism/limits.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>

/* Mappings of an instance: two memories, in one of which data is mapped in the middle; and without
 * guards in the page table a stack and the page below it. */
#define MAPPINGS 6
#define MAPPINGS_OF_STACK 2
#define MAPPINGS_BY_DEFAULT 65530 /* of a process */

static pthread_mutex_t room_lock = PTHREAD_MUTEX_INITIALIZER;
static size_t wanted_instances = LIMIT_POOLED_INSTANCES;
static atomic_size_t unpooled; /* instances of a host's calls without a slot */

/* Whether the system hands out so much address space. The engine would end the process if not. */
static bool can_reserve(size_t instances)
{
    size_t size = instances * LIMIT_POOLED_ADDRESS_SPACE;
    void *p = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED)
        return false;
    munmap(p, size);
    return true;
}

static size_t system_mappings(void)
{
    FILE *f = fopen("/proc/sys/vm/max_map_count", "re");
    size_t n = MAPPINGS_BY_DEFAULT;

    if (f && fscanf(f, "%zu", &n) != 1)
        n = MAPPINGS_BY_DEFAULT;
    if (f)
        fclose(f);
    return n;
}

static size_t mappings_of_instance(void)
{
    return MAPPINGS + (engine_stacks_can_merge() ? 0 : MAPPINGS_OF_STACK);
}

/* How many instances the mappings are enough for, some being left for all else. */
static size_t mappable_instances(void)
{
    size_t mappings = system_mappings();

    return mappings > LIMIT_OTHER_MAPPINGS
               ? (mappings - LIMIT_OTHER_MAPPINGS) / mappings_of_instance()
               : 0;
}

/* How many of the slots that were asked for fit: as many, or fewer, or none. */
static size_t affordable(size_t wanted, error *shortage)
{
    size_t mappable = mappable_instances(), n;

    wanted = wanted < LIMIT_POOLED_INSTANCES_MAX ? wanted : LIMIT_POOLED_INSTANCES_MAX;
    n = wanted;
    if (n > mappable) {
        n = mappable;
        error_set(shortage, E_TOO_LARGE,
                  "vm.max_map_count is %zu, which is enough for %zu calls at once; "
                  "for %zu: sysctl -w vm.max_map_count=%zu",
                  system_mappings(), n, wanted,
                  wanted * mappings_of_instance() + LIMIT_OTHER_MAPPINGS);
    }
    if (n == 0 || can_reserve(n))
        return n;
    while (n > 0 && !can_reserve(n))
        n = n > 16 ? n - n / 8 : 0;
    error_set(shortage, E_TOO_LARGE,
              "the system hands out address space for no more than %zu calls at once "
              "(see ulimit -v, and vm.overcommit_memory)",
              n);
    return n;
}

size_t engine_set_instances(size_t instances, error *shortage)
{
    pthread_mutex_lock(&room_lock);
    wanted_instances = instances;
    pthread_mutex_unlock(&room_lock);
    return affordable(instances, shortage);
}

uint32_t engine_slots(void)
{
    size_t wanted;

    pthread_mutex_lock(&room_lock);
    wanted = wanted_instances;
    pthread_mutex_unlock(&room_lock);
    return (uint32_t)affordable(wanted, NULL);
}

static size_t unpooled_max;

static void set_unpooled_max(void)
{
    size_t slots = engine_slots(), mappable = mappable_instances();

    unpooled_max = LIMIT_UNPOOLED_INSTANCES + (mappable > slots ? mappable - slots : 0);
}

bool engine_take_room(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, set_unpooled_max);
    if (atomic_fetch_add(&unpooled, 1) < unpooled_max)
        return true;
    atomic_fetch_sub(&unpooled, 1);
    return false;
}

void engine_give_room(void)
{
    atomic_fetch_sub(&unpooled, 1);
}
