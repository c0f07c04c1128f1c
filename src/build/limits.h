#ifndef UBIQ_BUILD_LIMITS_H
#define UBIQ_BUILD_LIMITS_H

/* Every limit of building, in bytes unless it says otherwise. */

#define LIMIT_BUILD_MODULE_BYTES (512UL * 1024 * 1024)
#define LIMIT_BUILD_SOURCE_BYTES (512UL * 1024 * 1024) /* of one file that is hashed */
#define LIMIT_BUILD_RECORD_BYTES (64UL * 1024 * 1024)  /* of what is kept about one function */
#define LIMIT_BUILD_SAID_BYTES (1024UL * 1024) /* that a compiler prints; more is left out */
#define LIMIT_BUILD_INPUTS 100000 /* files that one function is made of */
#define LIMIT_BUILD_NAME_BYTES 512
#define LIMIT_BUILD_DEPTH 16   /* of directories */
#define LIMIT_BUILD_JOBS 256   /* at once */
#define LIMIT_BUILD_VARIANTS 8 /* results kept for one source, by what it includes */
#define LIMIT_BUILD_ARGUMENTS 64
#define LIMIT_BUILD_HOST_PARAMS 5 /* of a host's own function, as Extism's JavaScript PDK has it */
#define LIMIT_BUILD_HOST_FUNCTIONS 1000 /* that one function of JavaScript declares */

#define BUILD_CACHE_DAYS 30 /* what nobody asked for in that time is removed */

/* A file that was written less long before it was looked at may be written again without a sign of it:
 * clocks of file systems tick every 1 to 10 ms. */
#define BUILD_RACY_NS (20 * 1000000LL)

#endif
