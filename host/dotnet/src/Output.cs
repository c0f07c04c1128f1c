using System;
using System.Text;
using System.Text.Json;

namespace Ubiquitous.Extism
{
    /// <summary>The ways to read a call's output.</summary>
    internal static class Output
    {
        internal static readonly OutputReader<byte[]> Bytes = output => output.ToArray();

        internal static readonly OutputReader<string> Text = output => Encoding.UTF8.GetString(output);

        internal static OutputReader<T> Json<T>(JsonSerializerOptions? options) =>
            output => JsonSerializer.Deserialize<T>(output, options)!;

        internal static unsafe ReadOnlySpan<byte> Span(byte* data, ulong length) =>
            new ReadOnlySpan<byte>(data, checked((int)length));
    }
}
