/* The last report; the first who asks has it made. ?now has a new one made. */

#include "../lib/links.h"

UBIQ_EXPORT("GET") int32_t get(void)
{
    char now[2];
    ubiq_result report = ubiq_query("now", now, sizeof now) >= 0 ? UBIQ_NOT_FOUND
                                                                 : ubiq_kv_get_block("report");

    if (report == UBIQ_NOT_FOUND)
        report = ubiq_invoke_block("rollup", "{}", 2);
    if (report < 0)
        return ubiq_fail_last("making a report");
    ubiq_output_block((ubiq_block)report);
    return 0;
}
