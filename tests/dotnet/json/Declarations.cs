using System.Buffers;

#pragma warning disable IDE0060

namespace System.Text.Json
{
    public sealed class JsonSerializerOptions
    {
    }

    public struct JsonWriterOptions
    {
    }

    public static class JsonSerializer
    {
        public static T Deserialize<T>(ReadOnlySpan<byte> utf8Json, JsonSerializerOptions? options = null) =>
            throw new NotSupportedException();

        public static byte[] SerializeToUtf8Bytes<T>(T value, JsonSerializerOptions? options = null) =>
            throw new NotSupportedException();
    }

    public sealed class Utf8JsonWriter : IDisposable
    {
        public Utf8JsonWriter(IBufferWriter<byte> bufferWriter, JsonWriterOptions options = default)
        {
        }

        public void Dispose() => throw new NotSupportedException();

        public void Flush() => throw new NotSupportedException();

        public void WriteStartObject() => throw new NotSupportedException();

        public void WriteStartObject(string propertyName) => throw new NotSupportedException();

        public void WriteEndObject() => throw new NotSupportedException();

        public void WriteStartArray(string propertyName) => throw new NotSupportedException();

        public void WriteEndArray() => throw new NotSupportedException();

        public void WriteString(string propertyName, string value) => throw new NotSupportedException();

        public void WriteStringValue(string value) => throw new NotSupportedException();

        public void WriteNumber(string propertyName, int value) => throw new NotSupportedException();

        public void WriteNumber(string propertyName, long value) => throw new NotSupportedException();

        public void WriteBase64String(string propertyName, ReadOnlySpan<byte> bytes) =>
            throw new NotSupportedException();
    }
}
