using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading.Tasks;

namespace Ubiquitous.Extism.Tests
{
    /// <summary>Plug-ins in each language, which call a host function in C#.</summary>
    public class LanguageTests
    {
        /// <summary>What the runtime of JavaScript imports, with the types of the parameters; all have an
        /// i64 as result.</summary>
        private const string Platform =
            "kv_set:III kv_set_if_absent:III kv_compare_and_set:IIII kv_increment:II kv_delete:I kv_list:III " +
            "storage_read:I storage_write:II storage_delete:I storage_stat:I storage_list:III events_emit:II " +
            "invoke:II request: response_status:i response_header:II log:iII trace_attribute:II trace_event:II " +
            "error: http_start:II http_wait:I http_head:I http_body:I";

        private const long Unavailable = -8;

        [Test]
        public Task C() => Cell("c_services", "shout");

        [Test]
        public Task Cpp() => Cell("cpp_services", "shout");

        [Test]
        public Task JavaScript() => Cell("js_plugin", "call_host", "ubiq_kv_get", Platform.Split(' ').Select(f =>
        {
            string[] parts = f.Split(':');
            return HostFunction.CreateRaw(
                "ubiq_" + parts[0],
                parts[1].Select(t => t == 'i' ? ExtismValueType.I32 : ExtismValueType.I64).ToArray(),
                new[] { ExtismValueType.I64 }, (plugin, inputs, outputs) => outputs[0].I64 = Unavailable);
        }).ToArray());

        [Test]
        public Task Rust() => Cell("rust_plugin", "call_host");

        [Test]
        public Task Go() => Cell("go_plugin", "call_host");

        /// <summary>The plug-in is NAME.wasm, or what the manifest NAME.json says.</summary>
        private static async Task Cell(string name, string function, string called = "shout",
                                       params HostFunction[] others)
        {
            string path = Path.Combine(Runner.Plugins, name);
            if (!File.Exists(path + ".wasm") && !File.Exists(path + ".json"))
                throw new SkipException($"there is no {name}.wasm or .json: see what the test `plugins` says");
            byte[] source = File.Exists(path + ".json") ? File.ReadAllBytes(path + ".json")
                                                        : Manifest.FromFile(path + ".wasm").ToJson();
            var seen = new List<string>();
            HostFunction shout = HostFunction.Create(called, (CurrentPlugin plugin, string text) =>
            {
                lock (seen)
                    seen.Add($"{text} {plugin.HostContext}");
                return text == "bad" ? throw new InvalidDataException("inside") : text + "!";
            });
            var options = new PluginOptions { WithWasi = true };
            using var compiled = new CompiledPlugin(source, others.Append(shout), options);
            using Plugin plugin = compiled.CreatePlugin();

            for (int i = 0; i < 3; i++)
                Check.Equal("grün!", plugin.Call(function, "grün", i));
            Check.Equal("grün 2", seen[2]);
            var e = Check.Throws<HostFunctionException>(() => plugin.Call(function, "bad"));
            Check.True(e.InnerException is InvalidDataException, $"{e.InnerException}");
            Check.Equal("grün!", await compiled.CallAsync(function, "grün"));
            await Check.ThrowsAsync<HostFunctionException>(() => compiled.CallAsync(function, "bad"));

            HostFunction later = HostFunction.Create(called, async (string text) =>
            {
                await Task.Delay(5);
                return text + "!";
            });
            using var waiting = new CompiledPlugin(source, others.Append(later), options);
            Check.Equal("later!", await waiting.CallAsync(function, "later"));
        }
    }
}
