#ifndef CONFORMANCE_ABI_H
#define CONFORMANCE_ABI_H

#include <stdbool.h>
#include <stdint.h>

/* Extism's C ABI as upstream's header declares it, reached through pointers, so that one program
 * can be run on any library that has it. */

typedef struct ExtismPlugin ExtismPlugin;
typedef struct ExtismCompiledPlugin ExtismCompiledPlugin;
typedef struct ExtismCurrentPlugin ExtismCurrentPlugin;
typedef struct ExtismCancelHandle ExtismCancelHandle;
typedef struct ExtismFunction ExtismFunction;
typedef uint64_t ExtismSize;

typedef enum {
    ExtismValType_I32,
    ExtismValType_I64,
    ExtismValType_F32,
    ExtismValType_F64,
    ExtismValType_V128,
    ExtismValType_FuncRef,
    ExtismValType_ExternRef,
} ExtismValType;

typedef struct {
    ExtismValType t;
    union {
        int32_t i32;
        int64_t i64;
        float f32;
        double f64;
    } v;
} ExtismVal;

typedef void (*ExtismFunctionType)(ExtismCurrentPlugin *plugin, const ExtismVal *inputs,
                                   ExtismSize n_inputs, ExtismVal *outputs, ExtismSize n_outputs,
                                   void *data);
typedef void (*ExtismLogDrainFunctionType)(const char *data, ExtismSize size);

/* Every function of the library: its result, its name without "extism_", its parameters. */
#define ABI_FUNCTIONS(F)                                                                           \
    F(const uint8_t *, plugin_id, (ExtismPlugin *))                                                \
    F(void *, current_plugin_host_context, (ExtismCurrentPlugin *))                                \
    F(uint8_t *, current_plugin_memory, (ExtismCurrentPlugin *))                                   \
    F(uint64_t, current_plugin_memory_alloc, (ExtismCurrentPlugin *, ExtismSize))                  \
    F(ExtismSize, current_plugin_memory_length, (ExtismCurrentPlugin *, uint64_t))                 \
    F(void, current_plugin_memory_free, (ExtismCurrentPlugin *, uint64_t))                         \
    F(ExtismFunction *, function_new,                                                              \
      (const char *, const ExtismValType *, ExtismSize, const ExtismValType *, ExtismSize,         \
       ExtismFunctionType, void *, void (*)(void *)))                                              \
    F(void, function_free, (ExtismFunction *))                                                     \
    F(void, function_set_namespace, (ExtismFunction *, const char *))                              \
    F(ExtismCompiledPlugin *, compiled_plugin_new,                                                 \
      (const uint8_t *, ExtismSize, const ExtismFunction **, ExtismSize, bool, char **))           \
    F(ExtismCompiledPlugin *, compiled_plugin_new_with_fuel_limit,                                 \
      (const uint8_t *, ExtismSize, const ExtismFunction **, ExtismSize, bool, uint64_t, char **)) \
    F(void, compiled_plugin_free, (ExtismCompiledPlugin *))                                        \
    F(ExtismPlugin *, plugin_new,                                                                  \
      (const uint8_t *, ExtismSize, const ExtismFunction **, ExtismSize, bool, char **))           \
    F(ExtismPlugin *, plugin_new_from_compiled, (const ExtismCompiledPlugin *, char **))           \
    F(ExtismPlugin *, plugin_new_with_fuel_limit,                                                  \
      (const uint8_t *, ExtismSize, const ExtismFunction **, ExtismSize, bool, uint64_t, char **)) \
    F(void, plugin_allow_http_response_headers, (ExtismPlugin *))                                  \
    F(void, plugin_new_error_free, (char *))                                                       \
    F(void, plugin_free, (ExtismPlugin *))                                                         \
    F(const ExtismCancelHandle *, plugin_cancel_handle, (const ExtismPlugin *))                    \
    F(bool, plugin_cancel, (const ExtismCancelHandle *))                                           \
    F(bool, plugin_config, (ExtismPlugin *, const uint8_t *, ExtismSize))                          \
    F(bool, plugin_function_exists, (ExtismPlugin *, const char *))                                \
    F(int32_t, plugin_call, (ExtismPlugin *, const char *, const uint8_t *, ExtismSize))           \
    F(int32_t, plugin_call_with_host_context,                                                      \
      (ExtismPlugin *, const char *, const uint8_t *, ExtismSize, void *))                         \
    F(const char *, error, (ExtismPlugin *))                                                       \
    F(const char *, plugin_error, (ExtismPlugin *))                                                \
    F(ExtismSize, plugin_output_length, (ExtismPlugin *))                                          \
    F(const uint8_t *, plugin_output_data, (ExtismPlugin *))                                       \
    F(bool, log_file, (const char *, const char *))                                                \
    F(bool, log_custom, (const char *))                                                            \
    F(void, log_drain, (ExtismLogDrainFunctionType))                                               \
    F(bool, plugin_reset, (ExtismPlugin *))                                                        \
    F(const char *, version, (void))

#define ABI_MEMBER(result, name, parameters) result(*name) parameters;
typedef struct abi {
    ABI_FUNCTIONS(ABI_MEMBER)
} abi;
#undef ABI_MEMBER

/* The functions of the library under test. */
extern abi extism;

#endif
