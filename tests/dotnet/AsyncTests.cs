using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;

namespace Ubiquitous.Extism.Tests
{
    public class AsyncTests
    {
        [Test]
        public async Task Calls()
        {
            using CompiledPlugin compiled = Guest.Compile();
            Check.Equal("x", await compiled.CallAsync("echo", "x"));
            Check.Equal("X", await compiled.CallAsync("text", "x"));
            Check.Equal("", await compiled.CallAsync("echo"));
            byte[] large = new byte[5_000_000];
            new Random(1).NextBytes(large);
            Check.True((await compiled.CallAsync("echo", large)).SequenceEqual(large), "it is another output");
            Check.Equal(4, await compiled.CallJsonAsync<int, int>("echo", 4));
            Check.Equal(2, await compiled.CallAsync("echo", new byte[2], output => output.Length));
        }

        [Test]
        public async Task EachIsFresh()
        {
            using CompiledPlugin compiled = Guest.Compile();
            for (int i = 0; i < 10; i++)
                Check.Equal(1L, Guest.Number(await compiled.CallAsync("count", Array.Empty<byte>())));
        }

        [Test]
        public async Task Errors()
        {
            var thrown = new InvalidDataException("inside");
            using CompiledPlugin compiled = Guest.Compile(HostFunction.Create(
                "text", new Func<string, string>(text => throw thrown)));
            var e = await Check.ThrowsAsync<ExtismException>(() => compiled.CallAsync("fail", "why"));
            Check.Equal("why", e.Message);
            Check.Equal(3, e.ExitCode);
            await Check.ThrowsAsync<ExtismException>(() => compiled.CallAsync("trap"));
            await Check.ThrowsAsync<ExtismException>(() => compiled.CallAsync("missing"));
            var failed = await Check.ThrowsAsync<HostFunctionException>(() => compiled.CallAsync("text", "x"));
            Check.True(ReferenceEquals(failed.InnerException, thrown), "it is another exception");
            await Check.ThrowsAsync<FormatException>(
                () => compiled.CallAsync<int>("echo", default, _ => throw new FormatException()));
            await Check.ThrowsAsync<ExtismTimeoutException>(
                () => compiled.CallAsync("spin", timeout: TimeSpan.FromMilliseconds(30)));
        }

        [Test]
        public async Task HostContext()
        {
            using CompiledPlugin compiled = Guest.Compile(HostFunction.Create(
                "text", (CurrentPlugin p, string text) => $"{text} {p.HostContext}"));
            IEnumerable<Task<string>> calls = Enumerable.Range(0, 50).Select(i => compiled.CallAsync("text", "x", i));
            string[] answers = await Task.WhenAll(calls);
            for (int i = 0; i < answers.Length; i++)
                Check.Equal($"x {i}", answers[i]);
        }

        /// <summary>A thousand calls wait at once, in the library's few threads.</summary>
        [Test]
        public async Task WaitingHoldsNoThread()
        {
            var all = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
            int waiting = 0;
            using CompiledPlugin compiled = Guest.Compile(HostFunction.Create("text", async (string text) =>
            {
                Interlocked.Increment(ref waiting);
                return text + await all.Task;
            }));
            int before = Process.GetCurrentProcess().Threads.Count;
            List<Task<string>> calls = Enumerable.Range(0, 1000).Select(i => compiled.CallAsync("text", $"{i}")).ToList();
            while (Volatile.Read(ref waiting) < calls.Count)
                await Task.Delay(1);
            int threads = Process.GetCurrentProcess().Threads.Count - before;
            Check.True(threads < 30, $"{threads} threads more");
            Check.Equal("beside", await compiled.CallAsync("echo", "beside"));
            Check.True(calls.All(c => !c.IsCompleted), "one is done");
            all.SetResult("!");
            string[] answers = await Task.WhenAll(calls);
            for (int i = 0; i < answers.Length; i++)
                Check.Equal($"{i}!", answers[i]);
        }

        [Test]
        public async Task AwaitingHostFunctions()
        {
            using CompiledPlugin compiled = Guest.Compile(HostFunction.Create("text", async (string text) =>
            {
                await Task.Yield();
                return text.Length < 50 ? text + "." : throw new InvalidDataException("too long");
            }));
            Check.Equal("x.", await compiled.CallAsync("text", "x"));
            var e = await Check.ThrowsAsync<HostFunctionException>(() => compiled.CallAsync("texts", "x"));
            Check.Equal("too long", e.InnerException!.Message);
        }

        [Test]
        public async Task Cancelling()
        {
            var never = new TaskCompletionSource<string>();
            using CompiledPlugin compiled = Guest.Compile(HostFunction.Create("text", (string text) => never.Task));
            for (int i = 0; i < 20; i++)
            {
                using var source = new CancellationTokenSource();
                Task<string> spinning = compiled.CallAsync("spin", cancellationToken: source.Token);
                Task<string> waiting = compiled.CallAsync("text", "x", cancellationToken: source.Token);
                source.CancelAfter(i % 5);
                await Check.ThrowsAsync<OperationCanceledException>(() => spinning);
                await Check.ThrowsAsync<OperationCanceledException>(() => waiting);
            }
            never.SetResult("nobody waits for it");
            Check.Equal("x", await compiled.CallAsync("echo", "x"));
            Task<string> dead = compiled.CallAsync("echo", "x", cancellationToken: new CancellationToken(true));
            Check.Equal(true, dead.IsCanceled);
        }

        [Test]
        public async Task DisposedMeanwhile()
        {
            var later = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
            Task<string> call;
            using (CompiledPlugin compiled = Guest.Compile(HostFunction.Create("text", (string text) => later.Task)))
            {
                call = compiled.CallAsync("text", "x");
                compiled.Dispose();
                Check.Throws<ObjectDisposedException>(() => compiled.CallAsync("echo", "x"));
            }
            GC.Collect();
            GC.WaitForPendingFinalizers();
            later.SetResult("done");
            Check.Equal("done", await call);
        }

        [Test]
        public async Task Fuel()
        {
            using var compiled = new CompiledPlugin(Guest.Module, Guest.Functions(),
                                                    new PluginOptions { FuelLimit = 10_000 });
            for (int i = 0; i < 3; i++)
            {
                Check.Equal("x", await compiled.CallAsync("echo", "x"));
                var e = await Check.ThrowsAsync<ExtismException>(() => compiled.CallAsync("spin"));
                Check.Contains("fuel", e.Message);
            }
        }
    }
}
