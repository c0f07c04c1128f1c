using System;

namespace Ubiquitous
{
    /// <summary>Why there is a <see cref="UbiqException"/>.</summary>
    public enum UbiqError
    {
        /// <summary>There is no such directory, or function.</summary>
        NotFound = -1,

        /// <summary>The system does not allow it.</summary>
        Denied = -2,

        /// <summary>An argument, or something in the project, is not what it must be.</summary>
        Invalid = -3,

        /// <summary>The input is larger than the function takes.</summary>
        TooLarge = -4,

        /// <summary>It took longer than its limits or the caller allow.</summary>
        Timeout = -7,

        /// <summary>The function failed; the log says more.</summary>
        Failed = -8,

        /// <summary>There is no room for another call, or the port is in use.</summary>
        Busy = -9,

        /// <summary>It was cancelled.</summary>
        Cancelled = -10,

        /// <summary>The project has been stopped, before it began or before it ended.</summary>
        Stopped = -11,

        /// <summary>Reading or writing failed.</summary>
        IO = -12,

        /// <summary>Memory ran out.</summary>
        NoMemory = -13,
    }

    /// <summary>A project that could not be opened, or a call that failed.</summary>
    public sealed class UbiqException : Exception
    {
        internal UbiqException(UbiqError error, string message, string invocation = "") : base(message)
        {
            Error = error;
            Invocation = invocation;
        }

        /// <summary>Why.</summary>
        public UbiqError Error { get; }

        /// <summary>The id by which the log names the call, or "".</summary>
        public string Invocation { get; }
    }
}
