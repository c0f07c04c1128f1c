using System;

namespace Ubiquitous.Extism
{
    /// <summary>A plug-in that could not be made, or a call that failed.</summary>
    public class ExtismException : Exception
    {
        /// <summary>Makes one.</summary>
        /// <param name="message">What went wrong.</param>
        /// <param name="exitCode">What the call returned.</param>
        /// <param name="innerException">What led to it, if that is known.</param>
        public ExtismException(string message, int exitCode = -1, Exception? innerException = null)
            : base(message, innerException)
        {
            ExitCode = exitCode;
        }

        /// <summary>What the function returned, the code of the guest's exit, 134 for a trap, or -1.</summary>
        public int ExitCode { get; }
    }

    /// <summary>A call that took longer than it may.</summary>
    public sealed class ExtismTimeoutException : ExtismException
    {
        internal ExtismTimeoutException(int exitCode)
            : base("The call took longer than it may.", exitCode)
        {
        }
    }

    /// <summary>A call that an exception in a host function has ended;
    /// <see cref="Exception.InnerException"/> is that exception.</summary>
    public sealed class HostFunctionException : ExtismException
    {
        internal HostFunctionException(string function, Exception inner, int exitCode)
            : base($"The host function {function} failed: {inner.Message}", exitCode, inner)
        {
            Function = function;
        }

        /// <summary>The host function's name.</summary>
        public string Function { get; }
    }
}
