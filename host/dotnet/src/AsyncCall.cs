using System;
using System.Runtime.InteropServices;
using System.Threading;
using System.Threading.Tasks;

namespace Ubiquitous.Extism
{
    /// <summary>What the library calls when a call is done.</summary>
    internal abstract class AsyncCall : CallState
    {
        private static readonly Native.DoneCallback DoneDelegate = OnDone;

        protected static readonly IntPtr Done = Marshal.GetFunctionPointerForDelegate(DoneDelegate);

        /// <summary>One of two things has happened: the call is done, or its starter has its handle.</summary>
        protected abstract void Arrive();

        private static void OnDone(IntPtr call, IntPtr arg)
        {
            GCHandle handle = GCHandle.FromIntPtr(arg);
            var it = (AsyncCall)handle.Target!;

            handle.Free();
            it.Arrive();
        }
    }

    /// <summary>A call that is under way.</summary>
    internal sealed unsafe class AsyncCall<TResult> : AsyncCall
    {
        private readonly TaskCompletionSource<TResult> completion =
            new TaskCompletionSource<TResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly CompiledPlugin plugin; // keeps the host functions
        private readonly string function;
        private readonly OutputReader<TResult> read;
        private CancellationTokenRegistration registration;
        private IntPtr call;
        private int arrived;

        internal AsyncCall(CompiledPlugin plugin, string function, OutputReader<TResult> read)
        {
            this.plugin = plugin;
            this.function = function;
            this.read = read;
        }

        internal Task<TResult> Start(ReadOnlySpan<byte> input, object? hostContext, TimeSpan? timeout,
                                     CancellationToken token)
        {
            byte[] name = Utf8.WithNul(function, nameof(function));
            CompiledHandle compiled = plugin.ForCalls;
            ulong milliseconds = Milliseconds(timeout);
            bool added = false;

            Begin(hostContext, token);
            GCHandle self = GCHandle.Alloc(this);
            try
            {
                compiled.DangerousAddRef(ref added);
                fixed (byte* nameBytes = name, bytes = input)
                {
                    call = Native.extism_call_start(compiled.DangerousGetHandle(), nameBytes, bytes,
                                                    (ulong)input.Length, GCHandle.ToIntPtr(self), milliseconds,
                                                    Done, GCHandle.ToIntPtr(self));
                }
            }
            finally
            {
                if (added)
                    compiled.DangerousRelease();
                if (call == IntPtr.Zero)
                    self.Free();
            }
            if (call == IntPtr.Zero)
                throw new ExtismException("There is no memory or no thread for a call.");
            registration =
                token.Register(it => Native.extism_call_cancel(((AsyncCall<TResult>)it!).call), this);
            Arrive();
            return completion.Task;
        }

        protected override void Arrive()
        {
            if (Interlocked.Increment(ref arrived) < 2)
                return;
            registration.Dispose(); // waits for a cancellation that is on its way
            try
            {
                string? error = Utf8.Read(Native.extism_call_error(call));
                int code = Native.extism_call_code(call);
                if (code != 0 || error != null)
                    completion.SetException(Failure(function, code, error));
                else
                    completion.SetResult(read(Output.Span(Native.extism_call_output_data(call),
                                                          Native.extism_call_output_length(call))));
            }
            catch (Exception e)
            {
                completion.SetException(e);
            }
            Native.extism_call_free(call);
            End();
            GC.KeepAlive(plugin);
            ExtismLog.DrainIfOn();
        }

        private static ulong Milliseconds(TimeSpan? timeout)
        {
            if (timeout is null || timeout == Timeout.InfiniteTimeSpan)
                return 0;
            if (timeout.Value <= TimeSpan.Zero)
                throw new ArgumentOutOfRangeException(nameof(timeout));
            return (ulong)Math.Ceiling(timeout.Value.TotalMilliseconds);
        }
    }
}
