/* Calls a function of the module it is linked with, by the name that --link gave it. */

#include "ubiq.h"

UBIQ_IMPORT("other", "count") int32_t count(void);

UBIQ_EXPORT("count_twice") int32_t count_twice(void)
{
    return count() || count();
}
