/* The functions of the C API that return a boolean. The x86-64 and AArch64 ABIs define one byte of a
 * returned bool; .NET and others read four. So they are defined here to return 32 bits, 0 or 1,
 * and this file does not see extism.h, which promises C programs a bool. */

#include "extism/log.h"
#include "extism/plugin.h"

#define EXPORT __attribute__((visibility("default")))

/* The names are extism.h's. */
uint32_t extism_plugin_function_exists(plugin *p, const char *func_name);
uint32_t extism_plugin_config(plugin *p, const uint8_t *json, uint64_t json_size);
uint32_t extism_plugin_reset(plugin *p);
uint32_t extism_plugin_cancel(const void *handle);
uint32_t extism_log_file(const char *filename, const char *log_level);
uint32_t extism_log_custom(const char *log_level);

EXPORT uint32_t extism_plugin_function_exists(plugin *p, const char *func_name)
{
    return p && func_name && plugin_function_exists(p, func_name);
}

EXPORT uint32_t extism_plugin_config(plugin *p, const uint8_t *json, uint64_t json_size)
{
    return p && json && plugin_config(p, slice_of(json, (size_t)json_size));
}

EXPORT uint32_t extism_plugin_reset(plugin *p)
{
    return p && plugin_reset(p);
}

/* A cancel handle is the plug-in. */
EXPORT uint32_t extism_plugin_cancel(const void *handle)
{
    if (!handle)
        return 0;
    plugin_cancel((plugin *)(uintptr_t)handle);
    return 1;
}

EXPORT uint32_t extism_log_file(const char *filename, const char *log_level)
{
    return log_to_file(filename, log_level, NULL) == 0;
}

EXPORT uint32_t extism_log_custom(const char *log_level)
{
    return log_to_buffer(log_level, NULL) == 0;
}
