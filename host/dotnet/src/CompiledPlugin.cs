using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;

namespace Ubiquitous.Extism
{
    /// <summary>Modules and host functions made ready once: for any number of plug-ins, and for calls that
    /// each have a fresh instance and hold no thread while they wait. Any thread.</summary>
    public sealed unsafe class CompiledPlugin : IDisposable
    {
        private readonly byte[] source;
        private readonly HostFunction[] functions;
        private readonly PluginOptions options;
        private readonly CompiledHandle handle;
        private readonly Lazy<CompiledHandle> forCalls;
        private bool disposed;

        /// <summary>Compiles the modules of a manifest.</summary>
        /// <param name="manifest">The modules, and what they may do.</param>
        /// <param name="functions">What they can import.</param>
        /// <param name="options">How plug-ins are made of it.</param>
        /// <exception cref="ExtismException">They cannot be loaded.</exception>
        public CompiledPlugin(Manifest manifest, IEnumerable<HostFunction>? functions = null,
                              PluginOptions? options = null)
            : this((manifest ?? throw new ArgumentNullException(nameof(manifest))).ToJson(), functions, options)
        {
        }

        /// <summary>Compiles a module.</summary>
        /// <param name="source">A module, binary or text, or the JSON of a manifest.</param>
        /// <param name="functions">What it can import.</param>
        /// <param name="options">How plug-ins are made of it.</param>
        /// <exception cref="ExtismException">It cannot be loaded.</exception>
        public CompiledPlugin(byte[] source, IEnumerable<HostFunction>? functions = null,
                              PluginOptions? options = null)
        {
            this.source = source ?? throw new ArgumentNullException(nameof(source));
            this.functions = functions?.ToArray() ?? Array.Empty<HostFunction>();
            this.options = new PluginOptions
            {
                WithWasi = options?.WithWasi ?? false,
                FuelLimit = options?.FuelLimit,
            };
            handle = Compile(false);
            forCalls = new Lazy<CompiledHandle>(() => Compile(true));
        }

        /// <summary>Frees it; plug-ins that were made from it, and calls that run, live on.</summary>
        public void Dispose()
        {
            lock (handle)
            {
                disposed = true;
                handle.Dispose();
                if (forCalls.IsValueCreated)
                    forCalls.Value.Dispose();
            }
        }

        /// <summary>Makes a plug-in with a state of its own; cheap.</summary>
        /// <exception cref="ExtismException">Its imports are not there, or do not fit.</exception>
        public Plugin CreatePlugin() => new Plugin(this);

        /// <summary>Calls a function in a fresh instance.</summary>
        /// <param name="function">Its name.</param>
        /// <param name="input">Its input; copied before this returns.</param>
        /// <param name="hostContext">What host functions find as
        /// <see cref="CurrentPlugin.HostContext"/>.</param>
        /// <param name="timeout">How long it may take, in place of what the manifest says.</param>
        /// <param name="cancellationToken">Stops it.</param>
        /// <returns>Its output.</returns>
        /// <exception cref="ExtismException">It failed.</exception>
        public Task<byte[]> CallAsync(string function, ReadOnlySpan<byte> input, object? hostContext = null,
                                      TimeSpan? timeout = null, CancellationToken cancellationToken = default) =>
            CallAsync(function, input, Output.Bytes, hostContext, timeout, cancellationToken);

        /// <summary>Calls a function in a fresh instance, with text.</summary>
        /// <inheritdoc cref="CallAsync(string, ReadOnlySpan{byte}, object?, TimeSpan?, CancellationToken)"/>
        public Task<string> CallAsync(string function, string input = "", object? hostContext = null,
                                      TimeSpan? timeout = null, CancellationToken cancellationToken = default) =>
            CallAsync(function, Encoding.UTF8.GetBytes(input), Output.Text, hostContext, timeout,
                      cancellationToken);

        /// <summary>Calls a function in a fresh instance, with JSON.</summary>
        /// <inheritdoc cref="CallAsync(string, ReadOnlySpan{byte}, object?, TimeSpan?, CancellationToken)"/>
        public Task<TResult> CallJsonAsync<TInput, TResult>(
            string function, TInput input, JsonSerializerOptions? jsonOptions = null, object? hostContext = null,
            TimeSpan? timeout = null, CancellationToken cancellationToken = default) =>
            CallAsync(function, JsonSerializer.SerializeToUtf8Bytes(input, jsonOptions),
                      Output.Json<TResult>(jsonOptions), hostContext, timeout, cancellationToken);

        /// <summary>Calls a function in a fresh instance, and reads its output where it is.</summary>
        /// <inheritdoc cref="CallAsync(string, ReadOnlySpan{byte}, object?, TimeSpan?, CancellationToken)"/>
        public Task<TResult> CallAsync<TResult>(string function, ReadOnlySpan<byte> input,
                                                OutputReader<TResult> read, object? hostContext = null,
                                                TimeSpan? timeout = null,
                                                CancellationToken cancellationToken = default)
        {
            if (read is null)
                throw new ArgumentNullException(nameof(read));
            if (cancellationToken.IsCancellationRequested)
                return Task.FromCanceled<TResult>(cancellationToken);
            var call = new AsyncCall<TResult>(this, function, read);
            return call.Start(input, hostContext, timeout, cancellationToken);
        }

        internal CompiledHandle Handle => handle;

        /// <summary>The modules for <see cref="AsyncCall{TResult}"/>, which are compiled in another
        /// way.</summary>
        internal CompiledHandle ForCalls
        {
            get
            {
                lock (handle)
                {
                    if (disposed)
                        throw new ObjectDisposedException(nameof(CompiledPlugin));
                    return forCalls.Value;
                }
            }
        }

        private CompiledHandle Compile(bool calls)
        {
            using var made = new NativeFunctions(functions);
            IntPtr[] handles = made.Handles;
            ulong fuel = options.FuelLimit ?? 0;
            ulong* limit = options.FuelLimit is null ? null : &fuel;
            byte wasi = options.WithWasi ? (byte)1 : (byte)0;
            byte* error = null;
            IntPtr compiled;

            fixed (byte* bytes = source)
            fixed (IntPtr* pointers = handles)
            {
                var length = (ulong)source.Length;
                var count = (ulong)handles.Length;
                if (calls)
                    compiled = Native.extism_compiled_plugin_new_async(bytes, length, pointers, count, wasi,
                                                                       limit, &error);
                else if (limit != null)
                    compiled = Native.extism_compiled_plugin_new_with_fuel_limit(bytes, length, pointers, count,
                                                                                 wasi, fuel, &error);
                else
                    compiled = Native.extism_compiled_plugin_new(bytes, length, pointers, count, wasi, &error);
            }
            if (compiled == IntPtr.Zero)
                throw Failure(error);
            return new CompiledHandle(compiled);
        }

        internal static ExtismException Failure(byte* error)
        {
            string text = Utf8.Read(error) ?? "Out of memory.";
            Native.extism_plugin_new_error_free(error);
            return new ExtismException(text);
        }
    }
}
