#ifndef UBIQ_BASE_CLOCK_H
#define UBIQ_BASE_CLOCK_H

#include <stdint.h>

/* Nanoseconds of the monotonic clock. */
uint64_t clock_ns(void);

/* Nanoseconds of CPU time that the calling thread has used. */
uint64_t clock_thread_cpu_ns(void);

/* Milliseconds since 1970, as the system's clock has it. */
int64_t clock_wall_ms(void);

#endif
