using System;
using System.Collections.Generic;
using System.Linq;
using System.Security.Cryptography;
using System.Text;
using System.Threading;
using System.Threading.Tasks;

namespace Ubiquitous.Extism.Tests
{
    public class PluginTests
    {
        [Test]
        public void Bytes()
        {
            using Plugin plugin = Guest.Make();
            foreach (int length in new[] { 0, 1, 7, 4096, 1_000_000, 8_000_000 })
            {
                byte[] input = Enumerable.Range(0, length).Select(i => (byte)(i * 7)).ToArray();
                Check.True(plugin.Call("echo", input).AsSpan().SequenceEqual(input), $"{length} bytes");
            }
        }

        [Test]
        public void Text()
        {
            using Plugin plugin = Guest.Make();
            Check.Equal("", plugin.Call("echo"));
            Check.Equal("grün \U0001f600", plugin.Call("echo", "grün \U0001f600"));
            Check.Equal("a\0b", plugin.Call("echo", "a\0b"));
        }

        public class Person
        {
            public string? Name { get; set; }
            public int[] Numbers { get; set; } = Array.Empty<int>();
        }

        [Test]
        public void Json()
        {
            using Plugin plugin = Guest.Make();
            var person = plugin.CallJson<Person, Person>("echo", new Person { Name = "Ada", Numbers = new[] { 1, 2 } });
            Check.Equal("Ada", person.Name);
            Check.Equal(2, person.Numbers[1]);
            Check.Equal(12, plugin.CallJson<int, int>("echo", 12));
        }

        [Test]
        public void OutputInPlace()
        {
            using Plugin plugin = Guest.Make();
            Check.Equal(3, plugin.Call("echo", new byte[] { 1, 2, 3 }, output => output.Length));
            Check.Equal(3, plugin.Call("echo", new byte[] { 1, 2, 3 }, output => (int)output[2]));
            Check.Throws<FormatException>(
                () => plugin.Call<int>("echo", default, output => throw new FormatException()));
            Check.Equal("x", plugin.Call("echo", "x"));
        }

        [Test]
        public void StateIsKept()
        {
            using Plugin plugin = Guest.Make(), other = Guest.Make();
            for (int i = 1; i < 4; i++)
                Check.Equal(i, Guest.Number(plugin.Call("count", ReadOnlySpan<byte>.Empty)));
            Check.Equal(1, Guest.Number(other.Call("count", ReadOnlySpan<byte>.Empty)));
            plugin.Reset();
            Check.Equal(4, Guest.Number(plugin.Call("count", ReadOnlySpan<byte>.Empty)));
        }

        [Test]
        public void Errors()
        {
            using Plugin plugin = Guest.Make();
            var e = Check.Throws<ExtismException>(() => plugin.Call("fail", "ein Grund für nichts"));
            Check.Equal("ein Grund für nichts", e.Message);
            Check.Equal(3, e.ExitCode);
            e = Check.Throws<ExtismException>(() => plugin.Call("code"));
            Check.Equal(9, e.ExitCode);
            e = Check.Throws<ExtismException>(() => plugin.Call("trap"));
            Check.Equal(134, e.ExitCode);
            Check.Contains("unreachable", e.Message);
            e = Check.Throws<ExtismException>(() => plugin.Call("missing"));
            Check.Contains("missing", e.Message);
            Check.Throws<ArgumentException>(() => plugin.Call("ec\0ho"));
            Check.Throws<ArgumentNullException>(() => plugin.Call(null!));
            string longName = new string('x', 1000);
            Check.Contains(longName, Check.Throws<ExtismException>(() => plugin.Call(longName)).Message);
            Check.Equal("x", plugin.Call("echo", "x"));
        }

        [Test]
        public void WhatCannotBeMade()
        {
            Check.Throws<ExtismException>(() => new Plugin(Encoding.UTF8.GetBytes("nonsense")));
            Check.Throws<ExtismException>(() => new Plugin(Array.Empty<byte>()));
            var e = Check.Throws<ExtismException>(() => new Plugin(Guest.Module));
            Check.Contains("text", e.Message);
            using var compiled = new CompiledPlugin(Guest.Module);
            Check.Throws<ExtismException>(() => compiled.CreatePlugin());
            Check.Throws<ExtismException>(() => new Plugin(Manifest.FromFile("/no/such/file.wasm")));
            HostFunction wrong = HostFunction.Create("text", (int a) => a);
            Check.Throws<ExtismException>(() => Guest.Make(wrong));
        }

        [Test]
        public void Exists()
        {
            using Plugin plugin = Guest.Make();
            Check.Equal(true, plugin.FunctionExists("echo"));
            Check.Equal(false, plugin.FunctionExists("memory"));
            Check.Equal(false, plugin.FunctionExists("missing"));
        }

        [Test]
        public void Ids()
        {
            using Plugin plugin = Guest.Make(), other = Guest.Make();
            Check.Equal(plugin.Id, plugin.Id);
            Check.True(plugin.Id != other.Id, "two plug-ins have the same id");
            Check.Equal('4', plugin.Id.ToString()[14]);
        }

        [Test]
        public void Settings()
        {
            Manifest manifest = Guest.Manifest();
            manifest.Config["a"] = "\"quoted\" ü";
            manifest.MaxPages = 20;
            manifest.MaxVarBytes = 0;
            manifest.Modules[0].Hash = Hash(Guest.Module);
            using (var plugin = new Plugin(manifest, Guest.Functions()))
            {
                Check.Equal("\"quoted\" ü", plugin.Call("config", "a"));
                plugin.UpdateConfig(new Dictionary<string, string?> { ["a"] = null, ["b"] = "new" });
                Check.Equal("", plugin.Call("config", "a"));
                Check.Equal("new", plugin.Call("config", "b"));
                Check.Contains("disabled", Check.Throws<ExtismException>(() => plugin.Call("set var", "x")).Message);
                Check.Contains("oom", Check.Throws<ExtismException>(() => plugin.Call("grow")).Message);
            }
            manifest.Modules[0].Hash = new string('0', 64);
            Check.Throws<ExtismException>(() => new Plugin(manifest, Guest.Functions()));
        }

        [Test]
        public void LinkedModules()
        {
            byte[] Wat(string text) => Encoding.UTF8.GetBytes(text);
            WasmSource lib = WasmSource.FromBytes(Wat("(module (func (export \"seven\") (result i32) (i32.const 7)))"));
            lib.Name = "lib";
            WasmSource main = WasmSource.FromBytes(Wat("(module (import \"lib\" \"seven\" (func $f (result i32)))" +
                                                        " (func (export \"f\") (result i32) (call $f)))"));
            main.Name = "main";
            using var plugin = new Plugin(new Manifest(lib, main));
            Check.Equal(7, Check.Throws<ExtismException>(() => plugin.Call("f")).ExitCode);
        }

        [Test]
        public void Fuel()
        {
            using var plugin = new Plugin(Guest.Module, Guest.Functions(), new PluginOptions { FuelLimit = 10_000 });
            for (int i = 0; i < 3; i++)
            {
                Check.Equal("x", plugin.Call("echo", "x"));
                Check.Contains("fuel", Check.Throws<ExtismException>(() => plugin.Call("spin")).Message);
            }
        }

        [Test]
        public void Timeouts()
        {
            Manifest manifest = Guest.Manifest();
            manifest.Timeout = TimeSpan.FromMilliseconds(30);
            using var plugin = new Plugin(manifest, Guest.Functions());
            for (int i = 0; i < 2; i++)
            {
                Check.Throws<ExtismTimeoutException>(() => plugin.Call("spin"));
                Check.Equal("x", plugin.Call("echo", "x"));
            }
        }

        [Test]
        public void Cancelling()
        {
            using Plugin plugin = Guest.Make();
            for (int i = 0; i < 20; i++)
            {
                // Some of them before the call has begun, some after it.
                using var source = new CancellationTokenSource();
                if (i > 0)
                    source.CancelAfter(i % 10);
                else
                    source.Cancel();
                var e = Check.Throws<OperationCanceledException>(
                    () => plugin.Call("spin", cancellationToken: source.Token));
                Check.Equal(source.Token, e.CancellationToken);
                Check.Equal("x", plugin.Call("echo", "x"));
            }
            using var late = new CancellationTokenSource();
            Check.Equal("x", plugin.Call("echo", "x", cancellationToken: late.Token));
            late.Cancel();
            Check.Equal("x", plugin.Call("echo", "x"));
        }

        [Test]
        public void ManyThreads()
        {
            using CompiledPlugin compiled = Guest.Compile();
            using Plugin shared = compiled.CreatePlugin();
            Parallel.For(0, 8, i =>
            {
                using Plugin own = compiled.CreatePlugin();
                for (int n = 0; n < 200; n++)
                {
                    Check.Equal($"THREAD {i}", own.Call("text", $"thread {i}"));
                    Check.Equal($"SHARED {i}", shared.Call("text", $"shared {i}"));
                }
            });
        }

        [Test]
        public void AfterDispose()
        {
            CompiledPlugin compiled = Guest.Compile();
            Plugin plugin = compiled.CreatePlugin();
            compiled.Dispose();
            compiled.Dispose();
            Check.Equal("X", plugin.Call("text", "x"));
            Check.Throws<ObjectDisposedException>(() => compiled.CreatePlugin());
            plugin.Dispose();
            plugin.Dispose();
            Check.Throws<ObjectDisposedException>(() => plugin.Call("echo"));
        }

        [Test]
        public void Pool()
        {
            using CompiledPlugin compiled = Guest.Compile();
            using var pool = new PluginPool(compiled, 2);
            int atOnce = 0, most = 0;
            Parallel.For(0, 100, i =>
            {
                using PluginPool.Rented rented = pool.Rent();
                int now = Interlocked.Increment(ref atOnce);
                lock (pool)
                    most = Math.Max(most, now);
                Check.Equal($"X{i}", rented.Plugin.Call("text", $"x{i}"));
                Interlocked.Decrement(ref atOnce);
            });
            Check.True(most <= 2, $"{most} plug-ins at once");
            using PluginPool.Rented one = pool.Rent(), two = pool.RentAsync().AsTask().Result;
            using var source = new CancellationTokenSource(20);
            Check.Throws<OperationCanceledException>(() => pool.Rent(source.Token));
            one.Dispose();
            Check.Throws<ObjectDisposedException>(() => one.Plugin.ToString());
            one.Dispose();
            using PluginPool.Rented three = pool.Rent();
            Check.Equal("x", three.Plugin.Call("echo", "x"));
        }

        [Test]
        public void Version() => Check.Equal("1.41.0", ExtismLibrary.Version);

        private static string Hash(byte[] bytes)
        {
            using var sha = SHA256.Create();
            return string.Concat(sha.ComputeHash(bytes).Select(b => b.ToString("x2")));
        }
    }
}
