using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using System.Threading;
using System.Threading.Tasks;

namespace Ubiquitous.Extism.Tests
{
    public class HostFunctionTests
    {
        private static string Through(HostFunction text, string input = "input", object? context = null)
        {
            using Plugin plugin = Guest.Make(text);
            return plugin.Call("text", input, context);
        }

        [Test]
        public void Values()
        {
            using Plugin plugin = Guest.Make();
            byte[] output = plugin.Call("numbers", ReadOnlySpan<byte>.Empty);
            Check.Equal(-7 - 8589934592 + 5 - 25.0, BitConverter.ToDouble(output));
            Check.Equal("abc", plugin.Call("pair", "abc"));
            Check.Equal("abcde", plugin.Call("pair", "abcdefg"));
            plugin.Call("nothing");
        }

        private delegate ReadOnlySpan<byte> FromSpan(ReadOnlySpan<byte> input);

        private delegate string ToText(Span<byte> input, CurrentPlugin plugin);

        [Test]
        public void KindsOfBytes()
        {
            Check.Equal("nput", Through(HostFunction.Create("text", (byte[] b) => b.Skip(1).ToArray())));
            Check.Equal("nput", Through(HostFunction.Create("text", (ReadOnlyMemory<byte> b) => b.Slice(1))));
            Check.Equal("nput", Through(HostFunction.Create("text", new FromSpan(b => b.Slice(1).ToArray()))));
            Check.Equal("!nput", Through(HostFunction.Create("text", new ToText((bytes, plugin) =>
            {
                bytes[0] = (byte)'!';
                return Encoding.UTF8.GetString(bytes);
            }))));
            Check.Equal("", Through(HostFunction.Create("text", (string _) => (string?)null)));
            Check.Equal("", Through(HostFunction.Create("text", (byte[] _) => (byte[]?)null)));
            Check.Equal("x", Through(HostFunction.Create("text", (long handle, CurrentPlugin p) => p.Write("x"))));
            Check.Equal("0", Through(HostFunction.Create("text", (MemoryBlock b) => b.Length.ToString()), ""));
        }

        public class Order
        {
            public string? Item { get; set; }
            public int Count { get; set; }
        }

        [Test]
        public void Json()
        {
            HostFunction function = HostFunction.Create("text", (Order order) => new Dictionary<string, int>
            {
                [order.Item!] = order.Count + 1,
            });
            Check.Equal("{\"tea\":3}", Through(function, "{\"Item\":\"tea\",\"Count\":2}"));
            using Plugin plugin = Guest.Make(function);
            var e = Check.Throws<HostFunctionException>(() => plugin.Call("text", "no json"));
            Check.True(e.InnerException is System.Text.Json.JsonException, $"{e.InnerException}");
        }

        [Test]
        public void ManyParameters()
        {
            string Sum(Delegate function, string types)
            {
                string parameters = string.Concat(types.Select(t => t == 'i' ? " i32" : " i64"));
                string arguments = string.Concat(types.Select((t, i) => $" (i{(t == 'i' ? 32 : 64)}.const {1 << i})"));
                using var plugin = new Plugin(Encoding.UTF8.GetBytes(
                    $"(module (import \"extism:host/user\" \"f\" (func $f (param{parameters}) (result i32)))" +
                    $" (func (export \"g\") (result i32) (call $f{arguments})))"),
                    new[] { HostFunction.Create("f", function) });
                return Check.Throws<ExtismException>(() => plugin.Call("g")).ExitCode.ToString();
            }

            Check.Equal("1", Sum(new Func<int, int>(a => a), "i"));
            Check.Equal("255", Sum(new Func<int, long, uint, ulong, int, long, int, long, int>(
                (a, b, c, d, e, f, g, h) => (int)(a + b + c + (long)d + e + f + g + h)), "iLiLiLiL"));
            Check.Equal("65535", Sum(new Func<int, int, int, int, int, int, int, int, int, int, int, int, int, int, int,
                int, int>((a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p) =>
                    a + b + c + d + e + f + g + h + i + j + k + l + m + n + o + p), "iiiiiiiiiiiiiiii"));
        }

        private class Methods
        {
            public int Calls { get; private set; }

            [HostFunction("text")]
            private string Text(string text, CurrentPlugin plugin, CancellationToken token)
            {
                Calls++;
                return $"{text} {plugin.HostContext} {token.CanBeCanceled}";
            }

            [HostFunction("nothing", Namespace = "own")]
            public static void Nothing()
            {
            }

            public void NotOne()
            {
            }
        }

        [Test]
        public void FromMethods()
        {
            var methods = new Methods();
            IReadOnlyList<HostFunction> found = HostFunction.FromMethods(methods);
            Check.Equal(2, found.Count);
            using Plugin plugin = Guest.Make(found.ToArray());
            Check.Equal("a context False", plugin.Call("text", "a", "context"));
            using var source = new CancellationTokenSource();
            Check.Equal("a  True", plugin.Call("text", "a", null, source.Token));
            plugin.Call("nothing");
            Check.Equal(2, methods.Calls);
        }

        [Test]
        public void UserDataAndContext()
        {
            var data = new object();
            object? seen = null, context = null;
            HostFunction function = HostFunction.Create("text", (CurrentPlugin p, string s) =>
            {
                (seen, context) = (p.UserData, p.HostContext);
                return s;
            }, data);
            using Plugin plugin = Guest.Make(function);
            plugin.Call("text", "x", hostContext: this);
            Check.True(ReferenceEquals(seen, data) && ReferenceEquals(context, this), "they are others");
            plugin.Call("text", "x");
            Check.True(context is null, "the context has stayed");
        }

        [Test]
        public void Memory()
        {
            HostFunction function = HostFunction.Create("text", (CurrentPlugin p, MemoryBlock input) =>
            {
                MemoryBlock block = p.Allocate(4);
                Check.Equal(4L, p.GetBlock(block.Offset).Length);
                Check.True(p.GetMemory(block).SequenceEqual(new byte[4]), "it is not zeros");
                p.Free(block);
                Check.Equal(0L, p.GetBlock(block.Offset).Length);
                Check.Throws<ArgumentOutOfRangeException>(() => p.GetMemory(new MemoryBlock(input.Offset, 1 << 20)).Clear());
                Check.Throws<ArgumentOutOfRangeException>(() => p.GetMemory(new MemoryBlock(input.Offset + 1, 1)).Clear());
                Check.Throws<ArgumentOutOfRangeException>(() => p.Allocate(-1));
                Check.Throws<ExtismException>(() => p.Allocate(1L << 40));
                MemoryBlock large = p.Allocate(10_000_000);
                p.GetMemory(large).Fill(1);
                p.GetMemory(input)[0] = (byte)'I';
                return input;
            });
            Check.Equal("Input", Through(function));
        }

        [Test]
        public void NotAfterwards()
        {
            CurrentPlugin? kept = null;
            Through(HostFunction.Create("text", (CurrentPlugin p, string s) =>
            {
                kept = p;
                return s;
            }));
            Check.Throws<ObjectDisposedException>(() => kept!.Write("x"));
        }

        [Test]
        public void Exceptions()
        {
            var thrown = new InvalidDataException("it is not what it should be: ü");
            HostFunction function = HostFunction.Create(
                "text", new Func<string, string>(text => text == "good" ? text : throw thrown));
            using Plugin plugin = Guest.Make(function);
            for (int i = 0; i < 100; i++)
            {
                var e = Check.Throws<HostFunctionException>(() => plugin.Call("text", "bad"));
                Check.True(ReferenceEquals(e.InnerException, thrown), "it is another exception");
                Check.Equal("text", e.Function);
                Check.Contains("it is not what it should be: ü", e.Message);
                Check.Contains("Exceptions", e.InnerException!.StackTrace!);
                Check.Equal("good", plugin.Call("text", "good"));
            }
        }

        [Test]
        public void CallingThePluginThatCalls()
        {
            Plugin? plugin = null;
            HostFunction function = HostFunction.Create("text", (string text) =>
            {
                if (text == "free")
                    plugin!.Dispose();
                return plugin!.Call("echo", text);
            });
            using (plugin = Guest.Make(function))
            {
                foreach (string text in new[] { "x", "free" })
                {
                    var e = Check.Throws<HostFunctionException>(() => plugin.Call("text", text));
                    Check.True(e.InnerException is InvalidOperationException, $"{e.InnerException}");
                }
                Check.Equal("x", plugin.Call("echo", "x"));
            }
        }

        /// <summary>One uses a plug-in, and the others, one of whom frees it, wait.</summary>
        [Test]
        public void OthersWait()
        {
            int inside = 0, most = 0;
            using var lastBegan = new ManualResetEventSlim();
            HostFunction function = HostFunction.Create("text", (string text) =>
            {
                most = Math.Max(most, Interlocked.Increment(ref inside));
                if (text == "last")
                    lastBegan.Set();
                Thread.Sleep(text == "last" ? 50 : 2);
                Interlocked.Decrement(ref inside);
                return text;
            });
            Plugin plugin = Guest.Make(function);
            var answers = new string[4];
            var threads = Enumerable.Range(0, answers.Length).Select(i => new Thread(() =>
            {
                for (int n = 0; n < 20; n++)
                    answers[i] += plugin.Call("text", $"{i}");
            })).ToList();
            threads.ForEach(thread => thread.Start());
            threads.ForEach(thread => thread.Join());
            for (int i = 0; i < answers.Length; i++)
                Check.Equal(new string((char)('0' + i), 20), answers[i]);
            Check.Equal(1, most);
            var last = new Thread(() => answers[0] = plugin.Call("text", "last"));
            last.Start();
            lastBegan.Wait();
            plugin.Dispose();
            last.Join();
            Check.Equal("last", answers[0]);
            Check.Throws<ObjectDisposedException>(() => plugin.Call("text", "x"));
        }

        [Test]
        public void CallingAnother()
        {
            using Plugin inner = Guest.Make();
            HostFunction function = HostFunction.Create("text", (CurrentPlugin p, string text) =>
            {
                MemoryBlock before = p.Write("before ");
                string answer = inner.Call("text", text);
                return p.GetString(before.Offset) + answer;
            });
            Check.Equal("before INPUT", Through(function));
        }

        /// <summary>What the runtime learns of by a signal, which the engine waits for too.</summary>
        [Test]
        public async Task Faults()
        {
            string? nothing = null;
            int zero = 0;
            HostFunction function = HostFunction.Create(
                "text", (string text) => text == "divide" ? (1 / zero).ToString() : nothing!.Length.ToString());
            using CompiledPlugin compiled = Guest.Compile(function);
            using Plugin plugin = compiled.CreatePlugin();
            for (int i = 0; i < 100; i++)
            {
                var e = Check.Throws<HostFunctionException>(() => plugin.Call("text", "x"));
                Check.True(e.InnerException is NullReferenceException, $"{e.InnerException}");
                e = Check.Throws<HostFunctionException>(() => plugin.Call("text", "divide"));
                Check.True(e.InnerException is DivideByZeroException, $"{e.InnerException}");
                Check.Equal(134, Check.Throws<ExtismException>(() => plugin.Call("outside")).ExitCode);
                e = await Check.ThrowsAsync<HostFunctionException>(() => compiled.CallAsync("text", "x"));
                Check.True(e.InnerException is NullReferenceException, $"{e.InnerException}");
            }
        }

        [Test]
        public async Task Recursion()
        {
            using CompiledPlugin compiled = Guest.Compile();
            using Plugin plugin = compiled.CreatePlugin();
            for (int i = 0; i < 3; i++)
            {
                Check.Equal(134, Check.Throws<ExtismException>(() => plugin.Call("recurse")).ExitCode);
                Check.Equal("X", plugin.Call("text", "x"));
                await Check.ThrowsAsync<ExtismException>(() => compiled.CallAsync("recurse"));
            }
        }

        /// <summary>In a thread whose stack is too small for a guest.</summary>
        [Test]
        public void SmallStack()
        {
            Exception? failure = null;
            Plugin? own = null;
            HostFunction function = HostFunction.Create("text", (string text) =>
            {
                if (text == "bad")
                    own!.Call("echo"); // which is refused, in this thread too
                object[] garbage = Enumerable.Range(0, 100).Select(i => (object)new byte[i]).ToArray();
                GC.Collect(2, GCCollectionMode.Forced, true, true);
                return text + garbage.Length;
            });
            using Plugin plugin = own = Guest.Make(function);
            var thread = new Thread(() =>
            {
                try
                {
                    for (int i = 0; i < 200; i++)
                    {
                        Check.Equal("x100", plugin.Call("text", "x"));
                        Check.Throws<HostFunctionException>(() => plugin.Call("text", "bad"));
                        Check.Throws<ExtismException>(() => plugin.Call("recurse"));
                    }
                }
                catch (Exception e)
                {
                    failure = e;
                }
            }, 300 * 1024);
            thread.Start();
            thread.Join();
            if (failure != null)
                throw failure;
        }

        [Test]
        public void CancelledInside()
        {
            using var source = new CancellationTokenSource();
            HostFunction function = HostFunction.Create("text", (string text, CancellationToken token) =>
            {
                source.Cancel();
                token.ThrowIfCancellationRequested();
                return text;
            });
            using Plugin plugin = Guest.Make(function);
            Check.Throws<OperationCanceledException>(() => plugin.Call("text", "x", null, source.Token));
        }

        [Test]
        public void Tasks()
        {
            // A plug-in's call waits for them.
            Check.Equal("later", Through(HostFunction.Create("text", async (string text) =>
            {
                await Task.Delay(5);
                return "later";
            })));
            Check.Equal("now", Through(HostFunction.Create("text", (string _) => new ValueTask<string>("now"))));
            using Plugin plugin = Guest.Make(HostFunction.Create("text", new Func<string, Task<string>>(async text =>
            {
                await Task.Yield();
                throw new InvalidDataException(text);
            })));
            var e = Check.Throws<HostFunctionException>(() => plugin.Call("text", "bad"));
            Check.Equal("bad", ((InvalidDataException)e.InnerException!).Message);
            bool ran = false;
            using Plugin other = Guest.Make(HostFunction.Create("nothing", async () =>
            {
                await Task.Delay(1);
                ran = true;
            }).InNamespace("own"));
            other.Call("nothing");
            Check.True(ran, "it did not run");
        }

        [Test]
        public void WhatCannotBeOne()
        {
            Check.Throws<ArgumentException>(() => HostFunction.Create("f", new ByReference((ref int a) => { })));
            Check.Throws<ArgumentNullException>(() => HostFunction.Create(null!, () => { }));
            Check.Throws<ArgumentException>(() => Guest.Make(HostFunction.Create("a\0b", () => { })));
        }

        private delegate void ByReference(ref int a);

        /// <summary>The same function in several plug-ins, and freed with them.</summary>
        [Test]
        public void Shared()
        {
            int calls = 0;
            HostFunction function = HostFunction.Create("text", (string text) =>
            {
                Interlocked.Increment(ref calls);
                return text;
            });
            for (int i = 0; i < 5; i++)
                Check.Equal("x", Through(function, "x"));
            Check.Equal(5, calls);
        }
    }
}
