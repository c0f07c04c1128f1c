using System;
using System.Runtime.InteropServices;
using System.Text;
using System.Threading;

namespace Ubiquitous.Extism
{
    /// <summary>What the host functions of one call share. The call's native host context is a handle of
    /// it.</summary>
    internal class CallState
    {
        internal CallState() => Current = new CurrentPlugin(this);

        internal CurrentPlugin Current { get; }

        internal object? HostContext { get; set; }

        internal CancellationToken Token { get; set; }

        /// <summary>What a host function has thrown, and its name.</summary>
        internal Exception? Exception { get; private set; }

        private string failed = "";

        /// <summary>The state of the call that a host function runs in.</summary>
        internal static CallState Of(IntPtr plugin) =>
            (CallState)GCHandle.FromIntPtr(Native.extism_current_plugin_host_context(plugin)).Target!;

        internal void Begin(object? hostContext, CancellationToken token)
        {
            HostContext = hostContext;
            Token = token;
            Exception = null;
        }

        /// <summary>Lets go of what the caller has passed.</summary>
        internal void End()
        {
            HostContext = null;
            Token = default;
            Exception = null;
        }

        /// <summary>Ends the guest's call with an exception.</summary>
        internal unsafe void Fail(IntPtr plugin, string function, Exception exception)
        {
            byte[] text = Encoding.UTF8.GetBytes(exception.Message);
            Exception = exception;
            failed = function;
            fixed (byte* bytes = text)
                Native.extism_current_plugin_fail(plugin, bytes, (ulong)text.Length);
        }

        /// <summary>What a call that has failed throws.</summary>
        internal Exception Failure(string function, int code, string? error)
        {
            if (Token.IsCancellationRequested &&
                (error == "timeout" || Exception is OperationCanceledException))
                return new OperationCanceledException("The call was cancelled.", Exception, Token);
            if (Exception != null)
                return new HostFunctionException(failed, Exception, code);
            if (error == "timeout")
                return new ExtismTimeoutException(code);
            return new ExtismException(error ?? $"{function} returned {code}", code);
        }
    }
}
