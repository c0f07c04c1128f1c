using System;
using System.Diagnostics;
using System.Globalization;
using System.Linq;
using System.Runtime.InteropServices;
using System.Text;

namespace Ubiquitous.Extism.Tests
{
    /// <summary>Calls of a plug-in from .NET and the same from C, in turns. Writes the lines that
    /// bench/measure.h describes.</summary>
    internal static class Bench
    {
        private const string Module = @"(module
            (import ""extism:host/env"" ""input_offset"" (func $input (result i64)))
            (import ""extism:host/env"" ""input_length"" (func $length (result i64)))
            (import ""extism:host/env"" ""output_set"" (func $output (param i64 i64)))
            (func (export ""empty""))
            (func (export ""echo"") (call $output (call $input) (call $length))))";

        /// <summary>Looks at the output where it is, as C does.</summary>
        private static readonly OutputReader<int> Length = output => output.Length;

        [DllImport("bench_dotnet")]
        private static extern IntPtr bench_open(byte[] wasm, ulong length);

        [DllImport("bench_dotnet")]
        private static extern ulong bench_calls(IntPtr plugin, byte[] function, byte[] input, ulong length,
                                                ulong count);

        internal static int Run(bool quick)
        {
            byte[] module = Encoding.UTF8.GetBytes(Module);
            IntPtr native = bench_open(module, (ulong)module.Length);
            using var plugin = new Plugin(module);
            int turns = quick ? 5 : 25;

            if (native == IntPtr.Zero)
                return 1;
            Rows(plugin, native, "empty", 0, turns);
            Rows(plugin, native, "echo", 64, turns);
            return 0;
        }

        private static void Rows(Plugin plugin, IntPtr native, string function, int size, int turns)
        {
            byte[] input = new byte[size], name = Encoding.UTF8.GetBytes(function + "\0");
            var times = new[] { new double[turns], new double[turns] };
            int batch = 20_000;

            double FromNet() => Time(plugin, function, input, batch);
            double FromC() => (double)bench_calls(native, name, input, (ulong)size, (ulong)batch) / batch;

            // Until the code is what it will be: the runtime compiles it again behind a pause.
            for (int i = 0; i < 30; i++)
            {
                FromNet();
                if (i % 10 == 9)
                    System.Threading.Thread.Sleep(300);
            }
            for (int i = 0; i < turns; i++)
            {
                for (int k = 0; k < 2; k++)
                {
                    int who = (i + k) % 2;
                    times[who][i] = who == 0 ? FromNet() : FromC();
                }
            }
            string Line(string who, double[] values) => string.Join("\t",
                new[] { "call from .NET", function, size.ToString(), who, "wall" }.Concat(
                    values.Select(v => v.ToString("G4", CultureInfo.InvariantCulture))));
            Console.WriteLine(Line(".NET", times[0]));
            Console.WriteLine(Line("C", times[1]));
        }

        private static double Time(Plugin plugin, string function, byte[] input, int count)
        {
            var watch = Stopwatch.StartNew();
            for (int i = 0; i < count; i++)
            {
                if (plugin.Call(function, input, Length) != input.Length)
                    throw new Exception("the output is not the input");
            }
            return watch.Elapsed.TotalMilliseconds * 1e6 / count;
        }
    }
}
