using System;
using System.Net.Http;
using System.Runtime.InteropServices;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Ubiquitous.Extism;

namespace Ubiquitous
{
    /// <summary>A project that is being served in this process: its functions can be called, its events and
    /// cron are delivered. Any thread, but for <see cref="UbiqOptions.Log"/>, which may not wait for
    /// it.</summary>
    public sealed class UbiqProject : IDisposable
    {
        private static readonly Native.LogCallback LogDelegate = OnLog;
        private static readonly IntPtr Log = Marshal.GetFunctionPointerForDelegate(LogDelegate);

        private readonly ProjectHandle handle;

        /// <summary>Opens the project in a directory, as <c>ubiq serve</c> does.</summary>
        /// <param name="directory">The directory.</param>
        /// <param name="options">How; null is as it is without.</param>
        /// <exception cref="UbiqException">Something is wrong with it; the message says what and
        /// where.</exception>
        public UbiqProject(string directory, UbiqOptions? options = null)
        {
            options ??= new UbiqOptions();
            if (options.Workers < 0)
                throw new ArgumentOutOfRangeException(nameof(options));
            GCHandle log = options.Log is null ? default : GCHandle.Alloc(options.Log);
            IntPtr project = IntPtr.Zero;
            try
            {
                project = Open(directory, options, log);
            }
            finally
            {
                if (project == IntPtr.Zero && log.IsAllocated)
                    log.Free();
            }
            handle = new ProjectHandle(project, log);
        }

        /// <summary>The version of the library.</summary>
        public static unsafe string Version => Utf8.Read(Native.ubiq_version())!;

        /// <summary>Where it listens, "127.0.0.1:3000", or "".</summary>
        public unsafe string Address => Utf8.Read(Native.ubiq_project_address(handle))!;

        /// <summary>Calls a function and waits for it.</summary>
        /// <param name="function">Its name: "users/list".</param>
        /// <param name="input">Its input.</param>
        /// <param name="timeout">How long it may take, besides its own limits.</param>
        /// <returns>Its output.</returns>
        /// <exception cref="UbiqException">It failed.</exception>
        public unsafe byte[] Invoke(string function, ReadOnlySpan<byte> input, TimeSpan? timeout = null)
        {
            IntPtr result;

            fixed (byte* name = Utf8.WithNul(function, nameof(function)), bytes = input)
                Native.ubiq_project_invoke(handle, name, bytes, (UIntPtr)input.Length, Milliseconds(timeout),
                                           &result);
            return Result.Take(result, Result.Output);
        }

        /// <summary>Calls a function with text and waits for it.</summary>
        /// <inheritdoc cref="Invoke(string, ReadOnlySpan{byte}, TimeSpan?)"/>
        public string Invoke(string function, string input = "", TimeSpan? timeout = null) =>
            Encoding.UTF8.GetString(Invoke(function, Encoding.UTF8.GetBytes(input), timeout));

        /// <summary>Calls a function; no thread waits.</summary>
        /// <param name="function">Its name: "users/list".</param>
        /// <param name="input">Its input; copied before this returns.</param>
        /// <param name="timeout">How long it may take, besides its own limits.</param>
        /// <param name="cancellationToken">Stops it.</param>
        /// <returns>Its output.</returns>
        /// <exception cref="UbiqException">It failed.</exception>
        public unsafe Task<byte[]> InvokeAsync(string function, ReadOnlySpan<byte> input,
                                               TimeSpan? timeout = null,
                                               CancellationToken cancellationToken = default)
        {
            if (cancellationToken.IsCancellationRequested)
                return Task.FromCanceled<byte[]>(cancellationToken);
            ulong milliseconds = Milliseconds(timeout);
            int length = input.Length;
            fixed (byte* nameBytes = Utf8.WithNul(function, nameof(function)), inputBytes = input)
            {
                byte* name = nameBytes, bytes = inputBytes; // lambdas do not take pinned ones
                return new AsyncCall<byte[]>(this, Result.Output, cancellationToken).Start(
                    (done, user, call) => Native.ubiq_project_invoke_async(
                        handle, name, bytes, (UIntPtr)length, milliseconds, done, user, call));
            }
        }

        /// <summary>Calls a function with text; no thread waits.</summary>
        /// <inheritdoc cref="InvokeAsync(string, ReadOnlySpan{byte}, TimeSpan?, CancellationToken)"/>
        public async Task<string> InvokeAsync(string function, string input = "", TimeSpan? timeout = null,
                                              CancellationToken cancellationToken = default) =>
            Encoding.UTF8.GetString(await InvokeAsync(function, Encoding.UTF8.GetBytes(input), timeout,
                                                      cancellationToken).ConfigureAwait(false));

        /// <summary>Makes a client whose requests go to the project, through its routes and middleware, without
        /// a socket. Addresses are relative: "/users/7".</summary>
        public HttpClient CreateClient() =>
            new HttpClient(CreateHandler()) { BaseAddress = new Uri("http://localhost/") };

        /// <summary>Makes what such a client sends its requests through. Whatever host they are for, they go to
        /// the project.</summary>
        public HttpMessageHandler CreateHandler() => new UbiqHandler(this);

        /// <summary>Begins no more calls, lets those that were begun end, and then cancels what is
        /// left.</summary>
        /// <param name="drain">How long they have.</param>
        /// <exception cref="ArgumentOutOfRangeException">It is negative, and not infinite.</exception>
        /// <exception cref="InvalidOperationException">This is the log's callback.</exception>
        public void Stop(TimeSpan drain)
        {
            if (Native.ubiq_project_stop(handle, (uint)Math.Min(uint.MaxValue, Milliseconds(drain, isDrain: true))) != 0)
                throw new InvalidOperationException("The log's callback may not stop a project.");
        }

        /// <summary>Stops it at once, unless it has stopped, and frees it.</summary>
        public void Dispose()
        {
            if (handle.IsClosed)
                return;
            Stop(TimeSpan.Zero);
            handle.Dispose();
        }

        internal unsafe Task<HttpResponseMessage> Send(byte[] method, byte[] target, byte[][] headers, byte[] body,
                                                CancellationToken token)
        {
            var pins = new GCHandle[headers.Length];
            var pointers = new IntPtr[headers.Length + 1];

            try
            {
                for (int i = 0; i < headers.Length; i++)
                {
                    pins[i] = GCHandle.Alloc(headers[i], GCHandleType.Pinned);
                    pointers[i] = pins[i].AddrOfPinnedObject();
                }
                fixed (byte* methodBytes = method, targetBytes = target, bodyBytes = body)
                fixed (IntPtr* headerPointers = pointers)
                {
                    var request = new Native.Request
                    {
                        Method = methodBytes,
                        Target = targetBytes,
                        Headers = (byte**)headerPointers,
                        HeaderCount = (UIntPtr)(headers.Length / 2),
                        Body = bodyBytes,
                        BodyLength = (UIntPtr)body.Length,
                    };
                    Native.Request* it = &request;
                    return new AsyncCall<HttpResponseMessage>(this, Result.Response, token).Start(
                        (done, user, call) =>
                            Native.ubiq_project_request_async(handle, it, 0, done, user, call));
                }
            }
            finally
            {
                foreach (GCHandle pin in pins)
                {
                    if (pin.IsAllocated)
                        pin.Free();
                }
            }
        }

        private static unsafe IntPtr Open(string directory, UbiqOptions o, GCHandle log)
        {
            IntPtr project;
            byte* error;

            fixed (byte* path = Utf8.WithNul(directory, nameof(directory)), environment = Bytes(o.Environment),
                   listen = Bytes(o.Listen), accessLog = Bytes(o.AccessLog))
            {
                var options = new Native.Options
                {
                    Size = (UIntPtr)sizeof(Native.Options),
                    Environment = environment,
                    Listen = listen,
                    AccessLog = accessLog,
                    Workers = (uint)o.Workers,
                    HoldEvents = o.HoldEvents ? 1u : 0u,
                    Log = log.IsAllocated ? Log : IntPtr.Zero,
                    LogUser = log.IsAllocated ? GCHandle.ToIntPtr(log) : IntPtr.Zero,
                };
                int code = Native.ubiq_project_open(&project, path, &options, &error);
                if (code == 0)
                    return project;
                string text = Utf8.Read(error) ?? "Out of memory.";
                Native.ubiq_text_free(error);
                throw new UbiqException((UbiqError)code, text);
            }
        }

        private static byte[]? Bytes(string? text) => text is null ? null : Utf8.WithNul(text, nameof(text));

        /// <summary>As the library takes them: no limit is 0 for a timeout, and the most there is for a drain,
        /// which may be 0.</summary>
        private static ulong Milliseconds(TimeSpan? time, bool isDrain = false)
        {
            if (time is null || time == Timeout.InfiniteTimeSpan)
                return isDrain ? ulong.MaxValue : 0;
            if (time < TimeSpan.Zero || (time == TimeSpan.Zero && !isDrain))
                throw new ArgumentOutOfRangeException(nameof(time));
            return (ulong)Math.Ceiling(time.Value.TotalMilliseconds);
        }

        private static unsafe void OnLog(IntPtr user, int level, IntPtr line, UIntPtr length)
        {
            try
            {
                var write = (Action<UbiqLogLevel, string>)GCHandle.FromIntPtr(user).Target!;
                write((UbiqLogLevel)level, Encoding.UTF8.GetString((byte*)line, (int)length));
            }
            catch (Exception)
            {
                // It must not reach the library, and there is no log for it.
            }
        }
    }
}
