using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Http;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Ubiquitous;

namespace Ubiquitous.Extism.Tests
{
    /// <summary>A project made for a test, of functions that FUNCTIONS has as binaries.</summary>
    internal sealed class Shop : IDisposable
    {
        internal string Directory { get; } = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());

        private readonly List<UbiqProject> open = new List<UbiqProject>();

        internal Shop(string toml, params string[] functions)
        {
            string from = Environment.GetEnvironmentVariable("FUNCTIONS") ?? "";
            if (!File.Exists(Path.Combine(from, "echo.wasm")))
                throw new SkipException("there are no functions to call");
            System.IO.Directory.CreateDirectory(Path.Combine(Directory, "functions"));
            File.WriteAllText(Path.Combine(Directory, "ubiq.toml"), toml);
            foreach (string name in functions)
                File.Copy(Path.Combine(from, name + ".wasm"), Path.Combine(Directory, "functions", name + ".wasm"));
        }

        internal UbiqProject Open(UbiqOptions? options = null)
        {
            open.Add(new UbiqProject(Directory, options ?? new UbiqOptions { Workers = 2 }));
            return open.Last();
        }

        public void Dispose()
        {
            foreach (UbiqProject project in open)
                project.Dispose();
            System.IO.Directory.Delete(Directory, true);
        }
    }

    public class PlatformTests
    {
        private const string Long = "[limits]\ncpu_time = \"1m\"\nwall_time = \"1m\"\n";
        private const string Permissions = "permissions = [\"kv:read:*\", \"kv:write:*\", \"events:emit:*\"]\n";

        [Test]
        public async Task Invoking()
        {
            using var shop = new Shop("", "echo");
            UbiqProject project = shop.Open();
            Check.Equal("some words", project.Invoke("echo", "some words"));
            Check.Equal("", project.Invoke("echo"));
            Check.Equal("later", await project.InvokeAsync("echo", "later"));
            byte[] large = new byte[1_000_000];
            new Random(1).NextBytes(large);
            Check.True(project.Invoke("echo", large).SequenceEqual(large), "it is another output");
            Check.True((await project.InvokeAsync("echo", large)).SequenceEqual(large), "it is another output");
            Check.Equal("", project.Address);
            Check.Equal(3, UbiqProject.Version.Split('.').Length);
        }

        [Test]
        public async Task Errors()
        {
            using var shop = new Shop(Long, "echo", "fail", "trap", "loop");
            var lines = new List<(UbiqLogLevel Level, string Line)>();
            UbiqProject project = shop.Open(new UbiqOptions
            {
                Log = (level, line) =>
                {
                    lock (lines)
                        lines.Add((level, line));
                    throw new InvalidDataException("it is lost");
                },
            });
            UbiqException e = Check.Throws<UbiqException>(() => project.Invoke("missing"));
            Check.Equal(UbiqError.NotFound, e.Error);
            e = await Check.ThrowsAsync<UbiqException>(() => project.InvokeAsync("fail", "its words"));
            Check.Equal((UbiqError.Failed, "its words"), (e.Error, e.Message));
            e = Check.Throws<UbiqException>(() => project.Invoke("loop", timeout: TimeSpan.FromMilliseconds(50)));
            Check.Equal(UbiqError.Timeout, e.Error);
            e = await Check.ThrowsAsync<UbiqException>(
                () => project.InvokeAsync("loop", timeout: TimeSpan.FromMilliseconds(50)));
            Check.Equal(UbiqError.Timeout, e.Error);
            e = Check.Throws<UbiqException>(() => project.Invoke("trap"));
            Check.Throws<ArgumentException>(() => project.Invoke("a\0b"));
            Check.Throws<ArgumentOutOfRangeException>(() => project.Invoke("echo", timeout: TimeSpan.Zero));
            project.Dispose();
            Check.True(lines.Any(l => l.Level == UbiqLogLevel.Error && l.Line.Contains(e.Invocation)), "it is not logged");
            Check.Throws<ObjectDisposedException>(() => project.Invoke("echo"));
            project.Dispose();
        }

        [Test]
        public void ProjectsWithErrors()
        {
            UbiqException e = Check.Throws<UbiqException>(() => new UbiqProject("/nowhere"));
            Check.Equal(UbiqError.NotFound, e.Error);
            using var shop = new Shop("[server]\nworker = 1\n");
            e = Check.Throws<UbiqException>(() => shop.Open());
            Check.Equal(UbiqError.Invalid, e.Error);
            Check.Contains("ubiq.toml:2", e.Message);
        }

        [Test]
        public async Task Requests()
        {
            using var shop = new Shop("[functions.platform]\nmethods = [\"PUT\"]\n[middleware]\nuse = [\"cors\"]\n" +
                                      "[middleware.cors]\norigins = [\"http://shop.example\"]\n", "echo", "platform");
            using HttpClient client = shop.Open().CreateClient();
            client.DefaultRequestHeaders.Add("Origin", "http://shop.example");
            client.DefaultRequestHeaders.UserAgent.ParseAdd("test/1 (words)");
            HttpResponseMessage answer = await client.PostAsync("/echo", new StringContent("{}"));
            Check.Equal((HttpStatusCode.OK, "{}"), (answer.StatusCode, await answer.Content.ReadAsStringAsync()));
            Check.Equal("application/json", answer.Content.Headers.ContentType.MediaType);
            Check.Equal("http://shop.example", answer.Headers.GetValues("Access-Control-Allow-Origin").Single());
            Check.Equal(HttpStatusCode.NotFound, (await client.GetAsync("/missing")).StatusCode);
            Check.Equal(HttpStatusCode.MethodNotAllowed, (await client.GetAsync("/platform")).StatusCode);
            answer = await client.PutAsync("/platform?a=b", new StringContent("request"));
            string told = await answer.Content.ReadAsStringAsync();
            Check.Contains("\"user-agent\":\"test/1 (words)\"", told);
            Check.Contains("\"host\":\"localhost\"", told);
            Check.Contains("\"query\":{\"a\":\"b\"}", told);
        }

        [Test]
        public async Task OverHttpToo()
        {
            using var shop = new Shop("", "echo");
            UbiqProject project = shop.Open(new UbiqOptions { Listen = "127.0.0.1:0" });
            using var client = new HttpClient();
            HttpResponseMessage answer = await client.PostAsync($"http://{project.Address}/echo",
                                                                new StringContent("words"));
            Check.Equal("words", await answer.Content.ReadAsStringAsync());
        }

        [Test]
        public async Task Cancelling()
        {
            using var shop = new Shop(Long, "echo", "loop");
            UbiqProject project = shop.Open();
            using HttpClient client = project.CreateClient();
            var watch = Stopwatch.StartNew();
            for (int i = 0; i < 5; i++)
            {
                using var source = new CancellationTokenSource(20);
                await Check.ThrowsAsync<OperationCanceledException>(
                    () => project.InvokeAsync("loop", cancellationToken: source.Token));
                using var another = new CancellationTokenSource(20);
                await Check.ThrowsAsync<OperationCanceledException>(() => client.GetAsync("/loop", another.Token));
                await Check.ThrowsAsync<OperationCanceledException>(
                    () => project.InvokeAsync("echo", cancellationToken: another.Token));
            }
            Check.Equal("x", project.Invoke("echo", "x"));
            Check.True(watch.Elapsed < TimeSpan.FromSeconds(20), "calls were not cancelled");
        }

        [Test]
        public async Task StoppedWhileCallsRun()
        {
            using var shop = new Shop(Long, "echo", "loop");
            UbiqProject project = shop.Open();
            using HttpClient client = project.CreateClient();
            project.Invoke("echo");
            List<Task> calls = Enumerable.Range(0, 4).Select(_ => (Task)Task.Run(() => project.Invoke("loop")))
                                   .Concat(Enumerable.Range(0, 4).Select(_ => (Task)project.InvokeAsync("loop")))
                                   .Append(client.GetAsync("/loop")).ToList();
            await Task.Delay(100);
            project.Stop(TimeSpan.FromMilliseconds(50));
            foreach (Task call in calls)
                Check.Equal(UbiqError.Stopped, (await Check.ThrowsAsync<UbiqException>(() => call)).Error);
            Check.Equal(UbiqError.Stopped, Check.Throws<UbiqException>(() => project.Invoke("echo")).Error);
            Check.Equal(UbiqError.Stopped,
                        (await Check.ThrowsAsync<UbiqException>(() => project.InvokeAsync("echo"))).Error);
        }

        [Test]
        public async Task Events()
        {
            using var shop = new Shop($"[functions.platform]\n{Permissions}[functions.note]\n{Permissions}" +
                                      "[triggers]\n\"order.*\" = \"note\"\n", "platform", "note");
            UbiqProject project = shop.Open(new UbiqOptions { HoldEvents = true });
            project.Invoke("platform", "emit\torder.new\tpayload");
            await Task.Delay(200);
            Check.Contains("-1", project.Invoke("platform", "get\tnote:100000001"));
            project.Dispose();
            project = shop.Open();
            for (int i = 0; i < 500 && project.Invoke("platform", "get\tnote:100000001").StartsWith("-1"); i++)
                await Task.Delay(10);
            Check.Contains("order.new", project.Invoke("platform", "get\tnote:100000001"));
        }

        /// <summary>The collector moves and frees while calls end in the library's threads.</summary>
        [Test]
        public async Task UnderTheCollector()
        {
            using var shop = new Shop("", "echo");
            UbiqProject project = shop.Open();
            using HttpClient client = project.CreateClient();
            using var ended = new CancellationTokenSource();
            Task collector = Task.Run(() =>
            {
                while (!ended.IsCancellationRequested)
                {
                    GC.Collect(0);
                    // Or those who wait for its end may never get the processor before the next one.
                    Thread.Sleep(1);
                }
            });
            await Task.WhenAll(Enumerable.Range(0, 4).Select(thread => Task.Run(async () =>
            {
                for (int i = 0; i < 200; i++)
                {
                    string text = $"{i} of {thread}";
                    Check.Equal(text, await project.InvokeAsync("echo", text));
                    Check.Equal(text, project.Invoke("echo", text));
                    HttpResponseMessage answer = await client.PostAsync("/echo", new StringContent(text));
                    Check.Equal(text, await answer.Content.ReadAsStringAsync());
                }
            })));
            ended.Cancel();
            await collector;
        }

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        private static WeakReference Forget(string directory)
        {
            var project = new UbiqProject(directory, new UbiqOptions { Log = (level, line) => { } });
            Check.Equal("x", project.Invoke("echo", "x"));
            return new WeakReference(project);
        }

        [Test]
        public void ForgottenProjects()
        {
            using var shop = new Shop("", "echo");
            int before = Process.GetCurrentProcess().Threads.Count;
            WeakReference project = Forget(shop.Directory);
            LeakTests.Collect();
            Check.Equal(false, project.IsAlive);
            for (int i = 0; i < 100 && Process.GetCurrentProcess().Threads.Count > before + 3; i++)
                Thread.Sleep(50);
            int after = Process.GetCurrentProcess().Threads.Count;
            Check.True(after <= before + 3, $"{before} threads before, {after} after");
        }
    }
}
