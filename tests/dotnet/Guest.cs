using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection;

namespace Ubiquitous.Extism.Tests
{
    /// <summary>guest.wat, and the host functions that it imports.</summary>
    public static class Guest
    {
        public static readonly byte[] Module = Read();

        public static readonly HostFunction Text = HostFunction.Create("text", (string s) => s.ToUpperInvariant());

        public static readonly HostFunction Numbers = HostFunction.Create(
            "numbers", (int a, long b, float c, double d) => a + b + 10.0 * c + 100 * d);

        public static readonly HostFunction Pair = HostFunction.CreateRaw(
            "pair", new[] { ExtismValueType.I64, ExtismValueType.I64 },
            new[] { ExtismValueType.I64, ExtismValueType.I32 },
            (plugin, inputs, outputs) =>
            {
                outputs[0].I64 = inputs[0].I64;
                outputs[1].I32 = (int)Math.Min(inputs[1].I64, plugin.GetBlock(inputs[0].I64).Length);
            });

        public static readonly HostFunction Nothing = HostFunction.Create("nothing", () => { }).InNamespace("own");

        /// <summary>All it imports, with some in place of those above.</summary>
        public static IEnumerable<HostFunction> Functions(params HostFunction[] own) =>
            own.Concat(new[] { Text, Numbers, Pair, Nothing }.Where(f => own.All(o => o.Name != f.Name)));

        public static Plugin Make(params HostFunction[] own) => new Plugin(Module, Functions(own));

        public static CompiledPlugin Compile(params HostFunction[] own) =>
            new CompiledPlugin(Module, Functions(own));

        public static Manifest Manifest() => Extism.Manifest.FromBytes(Module);

        public static long Number(byte[] output) => BitConverter.ToInt64(output);

        private static byte[] Read()
        {
            using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("guest.wat")!;
            using var copy = new MemoryStream();
            stream.CopyTo(copy);
            return copy.ToArray();
        }
    }
}
