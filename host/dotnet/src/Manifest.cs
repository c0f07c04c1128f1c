using System;
using System.Buffers;
using System.Collections.Generic;
using System.Text.Json;

namespace Ubiquitous.Extism
{
    /// <summary>A module of a plug-in, and where its bytes come from.</summary>
    public sealed class WasmSource
    {
        private readonly string kind;
        private readonly string place;
        private readonly ReadOnlyMemory<byte> data;

        private WasmSource(string kind, string place, ReadOnlyMemory<byte> data = default)
        {
            this.kind = kind;
            this.place = place;
            this.data = data;
        }

        /// <summary>The name that other modules import it by; the last module, or the one named
        /// <c>main</c>, is the one that is called.</summary>
        public string? Name { get; set; }

        /// <summary>The SHA-256 that its bytes must have, in hexadecimal.</summary>
        public string? Hash { get; set; }

        /// <summary>The method of the request for a URL; <c>GET</c> if it is null.</summary>
        public string? Method { get; set; }

        /// <summary>The headers of the request for a URL.</summary>
        public IDictionary<string, string> Headers { get; } = new Dictionary<string, string>();

        /// <summary>A module, binary or text, that is in memory; not copied before it is loaded.</summary>
        public static WasmSource FromBytes(ReadOnlyMemory<byte> module) =>
            new WasmSource("data", "", module);

        /// <summary>A module in a file.</summary>
        public static WasmSource FromFile(string path) =>
            new WasmSource("path", path ?? throw new ArgumentNullException(nameof(path)));

        /// <summary>A module that is fetched over HTTP.</summary>
        public static WasmSource FromUrl(Uri url) =>
            new WasmSource("url", (url ?? throw new ArgumentNullException(nameof(url))).AbsoluteUri);

        internal void Write(Utf8JsonWriter json)
        {
            json.WriteStartObject();
            if (kind == "data")
                json.WriteBase64String(kind, data.Span);
            else
                json.WriteString(kind, place);
            if (Name != null)
                json.WriteString("name", Name);
            if (Hash != null)
                json.WriteString("hash", Hash);
            if (Method != null)
                json.WriteString("method", Method);
            if (Headers.Count > 0)
                Manifest.WriteMap(json, "headers", Headers);
            json.WriteEndObject();
        }
    }

    /// <summary>What a plug-in is made of and what it may do.</summary>
    public sealed class Manifest
    {
        /// <summary>A plug-in of these modules.</summary>
        public Manifest(params WasmSource[] modules)
        {
            Modules = new List<WasmSource>(modules);
        }

        /// <summary>Its modules.</summary>
        public IList<WasmSource> Modules { get; }

        /// <summary>What the plug-in can read as its configuration.</summary>
        public IDictionary<string, string> Config { get; } = new Dictionary<string, string>();

        /// <summary>Patterns of the hosts that it may send HTTP requests to: none by default.</summary>
        public IList<string> AllowedHosts { get; } = new List<string>();

        /// <summary>Directories of this machine by the paths that the plug-in sees them under, for WASI. A
        /// directory that begins with <c>ro:</c> cannot be written to.</summary>
        public IDictionary<string, string> AllowedPaths { get; } = new Dictionary<string, string>();

        /// <summary>How long a call may take.</summary>
        public TimeSpan? Timeout { get; set; }

        /// <summary>The pages, 64 KiB each, that its memories may grow by.</summary>
        public int? MaxPages { get; set; }

        /// <summary>The largest response to an HTTP request, in bytes.</summary>
        public long? MaxHttpResponseBytes { get; set; }

        /// <summary>The bytes that its variables may take; 0 for no variables.</summary>
        public long? MaxVarBytes { get; set; }

        /// <summary>A plug-in of one module in a file.</summary>
        public static Manifest FromFile(string path) => new Manifest(WasmSource.FromFile(path));

        /// <summary>A plug-in of one module in memory.</summary>
        public static Manifest FromBytes(ReadOnlyMemory<byte> module) =>
            new Manifest(WasmSource.FromBytes(module));

        /// <summary>It as JSON, which any Extism host takes.</summary>
        public byte[] ToJson()
        {
            var buffer = new ArrayBufferWriter<byte>();
            using var json = new Utf8JsonWriter(buffer);

            json.WriteStartObject();
            json.WriteStartArray("wasm");
            foreach (WasmSource module in Modules)
                module.Write(json);
            json.WriteEndArray();
            WriteMemory(json);
            WriteMap(json, "config", Config);
            json.WriteStartArray("allowed_hosts");
            foreach (string host in AllowedHosts)
                json.WriteStringValue(host);
            json.WriteEndArray();
            json.WriteStartObject("allowed_paths");
            foreach (KeyValuePair<string, string> path in AllowedPaths)
                json.WriteString(path.Value, path.Key);
            json.WriteEndObject();
            if (Timeout is TimeSpan timeout)
                json.WriteNumber("timeout_ms", (long)Math.Ceiling(timeout.TotalMilliseconds));
            json.WriteEndObject();
            json.Flush();
            return buffer.WrittenSpan.ToArray();
        }

        internal static void WriteMap(Utf8JsonWriter json, string name, IDictionary<string, string> map)
        {
            json.WriteStartObject(name);
            foreach (KeyValuePair<string, string> entry in map)
                json.WriteString(entry.Key, entry.Value);
            json.WriteEndObject();
        }

        private void WriteMemory(Utf8JsonWriter json)
        {
            json.WriteStartObject("memory");
            if (MaxPages is int pages)
                json.WriteNumber("max_pages", pages);
            if (MaxHttpResponseBytes is long response)
                json.WriteNumber("max_http_response_bytes", response);
            if (MaxVarBytes is long variables)
                json.WriteNumber("max_var_bytes", variables);
            json.WriteEndObject();
        }
    }
}
