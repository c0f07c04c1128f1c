using System;
using System.Runtime.InteropServices;

namespace Ubiquitous
{
    /// <summary>The functions of libubiq, as libubiq.h declares them.</summary>
    internal static unsafe class Native
    {
        private const string Library = "ubiq";

        [StructLayout(LayoutKind.Sequential)]
        internal struct Options
        {
            internal UIntPtr Size;
            internal byte* Environment;
            internal byte* Listen;
            internal byte* AccessLog;
            internal uint Workers;
            internal uint HoldEvents;
            internal IntPtr Log;
            internal IntPtr LogUser;
        }

        [StructLayout(LayoutKind.Sequential)]
        internal struct Request
        {
            internal byte* Method;
            internal byte* Target;
            internal byte** Headers;
            internal UIntPtr HeaderCount;
            internal byte* Body;
            internal UIntPtr BodyLength;
        }

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        internal delegate void LogCallback(IntPtr user, int level, IntPtr line, UIntPtr length);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        internal delegate void DoneCallback(IntPtr user, IntPtr result);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern byte* ubiq_version();

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ubiq_project_open(IntPtr* project, byte* directory, Options* options,
                                                     byte** error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void ubiq_text_free(byte* text);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern byte* ubiq_project_address(ProjectHandle project);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ubiq_project_invoke(ProjectHandle project, byte* name, byte* input,
                                                       UIntPtr inputLength, ulong timeoutMs, IntPtr* result);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ubiq_project_invoke_async(ProjectHandle project, byte* name, byte* input,
                                                             UIntPtr inputLength, ulong timeoutMs, IntPtr done,
                                                             IntPtr user, IntPtr* call);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ubiq_project_request_async(ProjectHandle project, Request* request,
                                                              ulong timeoutMs, IntPtr done, IntPtr user,
                                                              IntPtr* call);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ubiq_project_stop(ProjectHandle project, uint drainMs);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ubiq_project_free(IntPtr project);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void ubiq_call_cancel(CallHandle call);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void ubiq_call_free(IntPtr call);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ubiq_result_code(IntPtr result);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern byte* ubiq_result_error(IntPtr result);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern byte* ubiq_result_output(IntPtr result, UIntPtr* length);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern byte* ubiq_result_invocation(IntPtr result);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ubiq_result_status(IntPtr result);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern UIntPtr ubiq_result_header_count(IntPtr result);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern byte* ubiq_result_header_name(IntPtr result, UIntPtr i);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern byte* ubiq_result_header_value(IntPtr result, UIntPtr i);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void ubiq_result_free(IntPtr result);
    }
}
