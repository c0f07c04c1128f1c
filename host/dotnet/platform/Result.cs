using System;
using System.Net;
using System.Net.Http;
using Ubiquitous.Extism;

namespace Ubiquitous
{
    /// <summary>What came of a call, read from a result of the library's.</summary>
    internal static unsafe class Result
    {
        /// <summary>Reads it and frees it.</summary>
        /// <exception cref="UbiqException">The call failed.</exception>
        internal static T Take<T>(IntPtr result, Func<IntPtr, T> read)
        {
            try
            {
                int code = Native.ubiq_result_code(result);
                if (code != 0)
                    throw new UbiqException((UbiqError)code, Utf8.Read(Native.ubiq_result_error(result))!,
                                            Utf8.Read(Native.ubiq_result_invocation(result))!);
                return read(result);
            }
            finally
            {
                Native.ubiq_result_free(result);
            }
        }

        internal static byte[] Output(IntPtr result)
        {
            UIntPtr length;
            byte* data = Native.ubiq_result_output(result, &length);
            return new ReadOnlySpan<byte>(data, checked((int)length)).ToArray();
        }

        internal static HttpResponseMessage Response(IntPtr result)
        {
            var response = new HttpResponseMessage((HttpStatusCode)Native.ubiq_result_status(result))
            {
                Version = HttpVersion.Version11,
                Content = new ByteArrayContent(Output(result)),
            };
            var count = (ulong)Native.ubiq_result_header_count(result);

            for (ulong i = 0; i < count; i++)
            {
                string name = Utf8.Read(Native.ubiq_result_header_name(result, (UIntPtr)i))!;
                string value = Utf8.Read(Native.ubiq_result_header_value(result, (UIntPtr)i))!;
                if (!response.Headers.TryAddWithoutValidation(name, value))
                    response.Content.Headers.TryAddWithoutValidation(name, value);
            }
            return response;
        }
    }
}
