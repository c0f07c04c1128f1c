#include "extism_guest.h"

/* One function for each thing a plug-in may ask of its host. */

extern IMPORT("extism:host/user", "shout") handle host_shout(handle text);

EXPORT("echo") int32_t echo(void)
{
    static unsigned char bytes[1 << 16];

    output(bytes, read_input(bytes, sizeof bytes));
    return 0;
}

static handle input_block(void)
{
    static unsigned char bytes[4096];

    return block_of(bytes, read_input(bytes, sizeof bytes));
}

EXPORT("config") int32_t config(void)
{
    handle value = extism_config_get(input_block());

    if (value == 0)
        return fail("no such key");
    output_block(value);
    return 0;
}

/* How often it was called, kept in a variable. */
EXPORT("counter") int32_t counter(void)
{
    uint64_t n = 0;
    handle old = extism_var_get(block_of_text("n"));

    if (old != 0)
        n = extism_load_u64(old);
    n++;
    extism_var_set(block_of_text("n"), block_of(&n, sizeof n));
    output(&n, sizeof n);
    return (int32_t)n;
}

EXPORT("forget") int32_t forget(void)
{
    extism_var_set(block_of_text("n"), 0);
    return 0;
}

/* The input is the request's JSON; a body goes with POST. */
static int32_t request(handle body)
{
    output_block(extism_http_request(input_block(), body));
    return (int32_t)extism_http_status_code();
}

EXPORT("http_get") int32_t http_get(void)
{
    return request(0);
}

EXPORT("http_post") int32_t http_post(void)
{
    return request(block_of_text("the body of the request"));
}

EXPORT("http_headers") int32_t http_headers(void)
{
    extism_http_request(input_block(), 0);
    output_block(extism_http_headers());
    return 0;
}

EXPORT("log") int32_t log_all(void)
{
    extism_log_debug(input_block());
    extism_log_info(input_block());
    extism_log_warn(input_block());
    extism_log_error(input_block());
    return extism_get_log_level();
}

EXPORT("shout") int32_t shout(void)
{
    output_block(host_shout(input_block()));
    return 0;
}

EXPORT("fail") int32_t fails(void)
{
    return fail("it failed, as asked");
}

EXPORT("crash") int32_t crash(void)
{
    __builtin_trap();
}
