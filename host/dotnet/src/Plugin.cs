using System;
using System.Buffers;
using System.Collections.Generic;
using System.Text;
using System.Text.Json;
using System.Threading;

namespace Ubiquitous.Extism
{
    /// <summary>A plug-in that keeps its state, its memory and its variables, from call to call.</summary>
    /// <remarks>It serves one thread at a time; others wait for it. A <see cref="PluginPool"/> has several of
    /// them, and <see cref="CompiledPlugin.CallAsync(string, string, object?, TimeSpan?, CancellationToken)"/>
    /// calls a fresh one without holding a thread.</remarks>
    public sealed unsafe class Plugin : IDisposable
    {
        private const int LargeStack = 4 << 20;

        private readonly CompiledPlugin compiled; // keeps the host functions
        private readonly PluginHandle handle;
        private readonly CallState state = new CallState();
        private readonly object gate = new object();
        private bool inUse; // under the lock, which lets its own thread in again
        private int helper; // the thread that a call of a thread with a small stack runs in, 0 for none
        private string? lastFunction; // called last, and its name for the library
        private byte[] lastName = Array.Empty<byte>();

        /// <summary>Makes one of the modules of a manifest.</summary>
        /// <param name="manifest">The modules, and what they may do.</param>
        /// <param name="functions">What they can import.</param>
        /// <param name="options">How it is made.</param>
        /// <exception cref="ExtismException">It cannot be made.</exception>
        public Plugin(Manifest manifest, IEnumerable<HostFunction>? functions = null,
                      PluginOptions? options = null)
            : this(new CompiledPlugin(manifest, functions, options), true)
        {
        }

        /// <summary>Makes one of a module.</summary>
        /// <param name="source">A module, binary or text, or the JSON of a manifest.</param>
        /// <param name="functions">What it can import.</param>
        /// <param name="options">How it is made.</param>
        /// <exception cref="ExtismException">It cannot be made.</exception>
        public Plugin(byte[] source, IEnumerable<HostFunction>? functions = null, PluginOptions? options = null)
            : this(new CompiledPlugin(source, functions, options), true)
        {
        }

        internal Plugin(CompiledPlugin compiled, bool own = false)
        {
            byte* error = null;
            bool added = false;
            IntPtr plugin;

            this.compiled = compiled;
            try
            {
                compiled.Handle.DangerousAddRef(ref added);
                plugin = Native.extism_plugin_new_from_compiled(compiled.Handle.DangerousGetHandle(), &error);
            }
            finally
            {
                if (added)
                    compiled.Handle.DangerousRelease();
                if (own)
                    compiled.Dispose();
            }
            if (plugin == IntPtr.Zero)
                throw CompiledPlugin.Failure(error);
            handle = new PluginHandle(plugin, state);
        }

        /// <summary>Its own id.</summary>
        public Guid Id => Use(plugin =>
        {
            byte* id = Native.extism_plugin_id(plugin);
            // A Guid's first three parts are numbers of this machine, a UUID's are in network order.
            return new Guid(id[0] << 24 | id[1] << 16 | id[2] << 8 | id[3], (short)(id[4] << 8 | id[5]),
                            (short)(id[6] << 8 | id[7]), id[8], id[9], id[10], id[11], id[12], id[13], id[14],
                            id[15]);
        });

        /// <summary>Frees it, once no call runs any more.</summary>
        /// <exception cref="InvalidOperationException">A host function frees the plug-in that called
        /// it.</exception>
        public void Dispose()
        {
            RefuseHelper();
            lock (gate)
            {
                RefuseOwnHostFunctions();
                handle.Dispose();
            }
        }

        /// <summary>Calls a function.</summary>
        /// <param name="function">Its name.</param>
        /// <param name="input">Its input.</param>
        /// <param name="hostContext">What host functions find as
        /// <see cref="CurrentPlugin.HostContext"/>.</param>
        /// <param name="cancellationToken">Stops it.</param>
        /// <returns>Its output.</returns>
        /// <exception cref="ExtismException">It failed.</exception>
        /// <exception cref="InvalidOperationException">A host function calls the plug-in that called
        /// it.</exception>
        public byte[] Call(string function, ReadOnlySpan<byte> input, object? hostContext = null,
                           CancellationToken cancellationToken = default) =>
            Call(function, input, Output.Bytes, hostContext, cancellationToken);

        /// <summary>Calls a function with text.</summary>
        /// <inheritdoc cref="Call(string, ReadOnlySpan{byte}, object?, CancellationToken)"/>
        public string Call(string function, string input = "", object? hostContext = null,
                           CancellationToken cancellationToken = default)
        {
            byte[] bytes = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(input.Length));
            try
            {
                int length = Encoding.UTF8.GetBytes(input, bytes);
                return Call(function, bytes.AsSpan(0, length), Output.Text, hostContext, cancellationToken);
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(bytes);
            }
        }

        /// <summary>Calls a function with JSON.</summary>
        /// <inheritdoc cref="Call(string, ReadOnlySpan{byte}, object?, CancellationToken)"/>
        public TResult CallJson<TInput, TResult>(string function, TInput input,
                                                 JsonSerializerOptions? jsonOptions = null,
                                                 object? hostContext = null,
                                                 CancellationToken cancellationToken = default) =>
            Call(function, JsonSerializer.SerializeToUtf8Bytes(input, jsonOptions),
                 Output.Json<TResult>(jsonOptions), hostContext, cancellationToken);

        /// <summary>Calls a function and reads its output where it is.</summary>
        /// <inheritdoc cref="Call(string, ReadOnlySpan{byte}, object?, CancellationToken)"/>
        public TResult Call<TResult>(string function, ReadOnlySpan<byte> input, OutputReader<TResult> read,
                                     object? hostContext = null, CancellationToken cancellationToken = default)
        {
            if (read is null)
                throw new ArgumentNullException(nameof(read));
            RefuseHelper();
            try
            {
                lock (gate)
                    return CallEntered(function, input, read, hostContext, cancellationToken, Enter());
            }
            finally
            {
                // Not under the lock: who takes the log may call plug-ins.
                ExtismLog.DrainIfOn();
            }
        }

        private TResult CallEntered<TResult>(string function, ReadOnlySpan<byte> input,
                                             OutputReader<TResult> read, object? hostContext,
                                             CancellationToken cancellationToken, IntPtr plugin)
        {
            try
            {
                state.Begin(hostContext, cancellationToken);
                Native.Result result;
                Run(plugin, function, input, cancellationToken, &result);
                return read(Output.Span(result.Output, result.OutputLength));
            }
            finally
            {
                state.End();
                inUse = false;
                GC.KeepAlive(this);
            }
        }

        /// <summary>Whether it exports a function of this name that can be called.</summary>
        public bool FunctionExists(string function)
        {
            byte[] name = Utf8.WithNul(function, nameof(function));
            return Use(plugin =>
            {
                fixed (byte* bytes = name)
                    return Native.extism_plugin_function_exists(plugin, bytes) != 0;
            });
        }

        /// <summary>Sets keys of its configuration, and removes those whose value is null.</summary>
        public void UpdateConfig(IEnumerable<KeyValuePair<string, string?>> config)
        {
            byte[] json = JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, string?>(config));
            bool done = Use(plugin =>
            {
                fixed (byte* bytes = json)
                    return Native.extism_plugin_config(plugin, bytes, (ulong)json.Length) != 0;
            });
            if (!done)
                throw new ExtismException("The configuration cannot be changed.");
        }

        /// <summary>Lets it read the headers of HTTP responses.</summary>
        public void AllowHttpResponseHeaders() => Use(plugin =>
        {
            Native.extism_plugin_allow_http_response_headers(plugin);
            return true;
        });

        /// <summary>Frees all blocks of its memory. The modules' own state stays.</summary>
        public void Reset() => Use(plugin => Native.extism_plugin_reset(plugin) != 0);

        private delegate TResult PluginUse<TResult>(IntPtr plugin);

        private TResult Use<TResult>(PluginUse<TResult> use)
        {
            RefuseHelper();
            lock (gate)
            {
                IntPtr plugin = Enter();
                try
                {
                    return use(plugin);
                }
                finally
                {
                    inUse = false;
                    GC.KeepAlive(this);
                }
            }
        }

        /// <summary>Begins a use, under the lock: so nothing frees the plug-in meanwhile.</summary>
        private IntPtr Enter()
        {
            RefuseOwnHostFunctions();
            if (handle.IsClosed)
                throw new ObjectDisposedException(nameof(Plugin));
            inUse = true;
            return handle.DangerousGetHandle();
        }

        private void RefuseOwnHostFunctions()
        {
            if (inUse)
                throw UsedByItsCaller();
        }

        /// <summary>The same for a host function that runs in another thread than the one with the lock, for
        /// which it would wait for ever. No lock: only that thread finds its own number.</summary>
        private void RefuseHelper()
        {
            int running = Volatile.Read(ref helper);

            if (running != 0 && running == Environment.CurrentManagedThreadId)
                throw UsedByItsCaller();
        }

        private static Exception UsedByItsCaller() =>
            new InvalidOperationException("A host function cannot use the plug-in that calls it.");

        private void Run(IntPtr plugin, string function, ReadOnlySpan<byte> input, CancellationToken token,
                         Native.Result* result)
        {
            int code;

            if (!ReferenceEquals(function, lastFunction))
            {
                lastName = Utf8.WithNul(function, nameof(function));
                lastFunction = function;
            }
            fixed (byte* name = lastName, bytes = input)
            {
                if (token.CanBeCanceled)
                {
                    token.ThrowIfCancellationRequested();
                    using var cancellation = new Cancellation(plugin, token);
                    code = RunNative(plugin, name, bytes, (ulong)input.Length, result);
                }
                else
                {
                    code = RunNative(plugin, name, bytes, (ulong)input.Length, result);
                }
            }
            if (code != 0)
                throw state.Failure(function, code, Utf8.Read(result->Error));
        }

        private int RunNative(IntPtr plugin, byte* name, byte* bytes, ulong length, Native.Result* result)
        {
            int code = Native.extism_plugin_call_result(plugin, name, bytes, length, handle.State, result);
            return code == Native.StackTooSmall ? RunElsewhere(plugin, name, bytes, length, result) : code;
        }

        /// <summary>In a thread with enough stack for a guest, while this one waits.</summary>
        private int RunElsewhere(IntPtr plugin, byte* name, byte* bytes, ulong length, Native.Result* result)
        {
            int code = 0;
            bool interrupted = false, ended = false;
            var thread = new Thread(() =>
            {
                Volatile.Write(ref helper, Environment.CurrentManagedThreadId);
                code = Native.extism_plugin_call_result(plugin, name, bytes, length, handle.State, result);
                Volatile.Write(ref helper, 0);
            }, LargeStack);
            thread.Start();
            while (!ended)
            {
                try
                {
                    thread.Join();
                    ended = true;
                }
                catch (ThreadInterruptedException)
                {
                    interrupted = true; // later: the call uses what is this thread's
                }
            }
            if (interrupted)
                Thread.CurrentThread.Interrupt();
            return code;
        }
    }
}
