using System;
using System.Diagnostics;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;

namespace Ubiquitous.Extism.Tests
{
    /// <summary>A million calls with host functions, from four threads, and some that wait in the library's,
    /// while the collector moves everything that can be moved: resident memory does not grow, and every answer
    /// is right.</summary>
    internal static class Soak
    {
        private const int Threads = 4;
        private const int Calls = 1_000_000;
        private const int AsyncCalls = 50_000;
        private const int AtOnce = 100;
        private const long MayGrow = 8 << 20;

        private static volatile bool done;

        internal static int Run()
        {
            using CompiledPlugin compiled = Guest.Compile(HostFunction.Create("text", (CurrentPlugin p, string text) =>
                text == "bad" ? throw new InvalidOperationException(text) : text + p.HostContext));
            var collector = new Thread(Compact);
            var watch = Stopwatch.StartNew();

            using CompiledPlugin waiting = Guest.Compile(HostFunction.Create("text", async (string text) =>
            {
                await Task.Yield();
                return text;
            }));

            collector.Start();
            Calling(compiled, Calls / 5);
            Waiting(waiting, AsyncCalls / 2).Wait();
            long before = Settled();
            Calling(compiled, Calls);
            Waiting(waiting, AsyncCalls).Wait();
            long after = Settled();
            done = true;
            collector.Join();
            Console.WriteLine($"{Calls} calls from {Threads} threads, {AsyncCalls} that wait, {GC.CollectionCount(0)} collections, " +
                              $"{watch.Elapsed.TotalSeconds:F1} s: resident memory {before >> 10} KiB, then {after >> 10} KiB");
            if (after - before <= MayGrow)
                return 0;
            Console.WriteLine($"it has grown by more than {MayGrow >> 10} KiB");
            return 1;
        }

        private static void Calling(CompiledPlugin compiled, int count)
        {
            Exception? failure = null;
            Thread[] threads = Enumerable.Range(0, Threads).Select(number => new Thread(() =>
            {
                try
                {
                    using Plugin plugin = compiled.CreatePlugin();
                    for (int i = 0; i < count / Threads; i++)
                        One(plugin, number, i);
                }
                catch (Exception e)
                {
                    failure = e;
                }
            })).ToArray();

            foreach (Thread thread in threads)
                thread.Start();
            foreach (Thread thread in threads)
                thread.Join();
            if (failure != null)
                throw new Exception("a call went wrong", failure);
        }

        private static async Task Waiting(CompiledPlugin compiled, int count)
        {
            for (int i = 0; i < count; i += AtOnce)
            {
                string[] answers = await Task.WhenAll(
                    Enumerable.Range(i, AtOnce).Select(n => compiled.CallAsync("text", n.ToString(), n)));
                for (int k = 0; k < AtOnce; k++)
                    Check.Equal((i + k).ToString(), answers[k]);
            }
        }

        private static void One(Plugin plugin, int number, int i)
        {
            if (i % 1000 == 999)
            {
                Check.Throws<HostFunctionException>(() => plugin.Call("text", "bad", number));
                return;
            }
            string text = i.ToString();
            Check.Equal(text + number, plugin.Call("text", text, number));
        }

        /// <summary>Makes garbage of all sizes and has the heap compacted again and again.</summary>
        private static void Compact()
        {
            var kept = new byte[256][];
            for (int i = 0; !done; i++)
            {
                kept[i % kept.Length] = new byte[i * 37 % 3000];
                if (i % 500 == 0)
                    GC.Collect(i % 5000 == 0 ? 2 : 0, GCCollectionMode.Forced, true, true);
                if (i % 100 == 0)
                    Thread.Sleep(1);
            }
        }

        private static long Settled()
        {
            LeakTests.Collect();
            return Memory.Resident();
        }
    }
}
