using System;
using System.Runtime.InteropServices;

namespace Ubiquitous.Extism
{
    /// <summary>The functions of libextism, as extism.h and extism_ext.h declare them.</summary>
    /// <remarks>All arguments are plain bits, so that a call costs next to nothing: strings are UTF-8 with a
    /// NUL, a bool is one byte.</remarks>
    internal static unsafe class Native
    {
        private const string Library = "extism";

        /// <summary>What extism_plugin_call_result returns where it would need another stack.</summary>
        internal const int StackTooSmall = int.MinValue;

        /// <summary>What a call came to.</summary>
        [StructLayout(LayoutKind.Sequential)]
        internal struct Result
        {
            internal byte* Output;
            internal ulong OutputLength;
            internal byte* Error;
        }

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        internal delegate void HostFunctionCallback(IntPtr plugin, ExtismValue* inputs, ulong inputCount,
                                                    ExtismValue* outputs, ulong outputCount, IntPtr data);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        internal delegate void StartCallback(IntPtr plugin, ExtismValue* inputs, ulong inputCount,
                                             IntPtr pending, IntPtr data);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        internal delegate void FinishCallback(IntPtr plugin, ExtismValue* outputs, ulong outputCount,
                                              IntPtr arg);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        internal delegate void DoneCallback(IntPtr call, IntPtr arg);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        internal delegate void FreeCallback(IntPtr data);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        internal delegate void LogCallback(byte* line, ulong length);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern IntPtr extism_compiled_plugin_new(byte* wasm, ulong length, IntPtr* functions,
            ulong functionCount, byte withWasi, byte** error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern IntPtr extism_compiled_plugin_new_with_fuel_limit(byte* wasm, ulong length,
            IntPtr* functions, ulong functionCount, byte withWasi, ulong fuelLimit, byte** error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern IntPtr extism_compiled_plugin_new_async(byte* wasm, ulong length,
            IntPtr* functions, ulong functionCount, byte withWasi, ulong* fuelLimit, byte** error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void extism_compiled_plugin_free(IntPtr compiled);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern IntPtr extism_plugin_new_from_compiled(IntPtr compiled, byte** error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void extism_plugin_new_error_free(byte* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void extism_plugin_free(IntPtr plugin);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int extism_plugin_call_result(IntPtr plugin, byte* function, byte* data,
            ulong length, IntPtr hostContext, Result* result);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern byte extism_plugin_function_exists(IntPtr plugin, byte* function);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern byte extism_plugin_config(IntPtr plugin, byte* json, ulong length);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void extism_plugin_allow_http_response_headers(IntPtr plugin);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern byte extism_plugin_reset(IntPtr plugin);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern byte* extism_plugin_id(IntPtr plugin);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern IntPtr extism_plugin_cancel_handle(IntPtr plugin);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern byte extism_plugin_cancel(IntPtr handle);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern IntPtr extism_function_new(byte* name, int* inputs, ulong inputCount,
            int* outputs, ulong outputCount, IntPtr function, IntPtr userData, IntPtr freeUserData);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern IntPtr extism_function_new_async(byte* name, int* inputs, ulong inputCount,
            int* outputs, ulong outputCount, IntPtr start, IntPtr userData, IntPtr freeUserData);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void extism_function_set_namespace(IntPtr function, byte* name);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void extism_function_free(IntPtr function);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern IntPtr extism_current_plugin_host_context(IntPtr plugin);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern byte* extism_current_plugin_memory(IntPtr plugin);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern ulong extism_current_plugin_memory_alloc(IntPtr plugin, ulong length);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern ulong extism_current_plugin_memory_length(IntPtr plugin, ulong handle);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void extism_current_plugin_memory_free(IntPtr plugin, ulong handle);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void extism_current_plugin_fail(IntPtr plugin, byte* text, ulong length);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void extism_pending_finish(IntPtr pending, IntPtr finish, IntPtr arg);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern IntPtr extism_call_start(IntPtr compiled, byte* function, byte* data,
            ulong length, IntPtr hostContext, ulong timeoutMs, IntPtr done, IntPtr arg);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int extism_call_code(IntPtr call);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern ulong extism_call_output_length(IntPtr call);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern byte* extism_call_output_data(IntPtr call);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern byte* extism_call_error(IntPtr call);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void extism_call_cancel(IntPtr call);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void extism_call_free(IntPtr call);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern byte extism_log_custom(byte* level);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern byte extism_log_file(byte* file, byte* level);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void extism_log_drain(IntPtr handler);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern byte* extism_version();
    }
}
