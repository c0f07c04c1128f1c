using System;

namespace Ubiquitous
{
    /// <summary>How much a line of the log matters.</summary>
    public enum UbiqLogLevel
    {
        /// <summary>Everything.</summary>
        Trace,

        /// <summary>For those who look for a mistake.</summary>
        Debug,

        /// <summary>Something happened.</summary>
        Info,

        /// <summary>Something looks wrong.</summary>
        Warn,

        /// <summary>Something failed.</summary>
        Error,
    }

    /// <summary>How a project is opened.</summary>
    public sealed class UbiqOptions
    {
        /// <summary>The environment, for [env] of ubiq.toml; null is "production".</summary>
        public string? Environment { get; set; }

        /// <summary>"ADDRESS:PORT" to serve HTTP there too, port 0 being any; null is nowhere.</summary>
        public string? Listen { get; set; }

        /// <summary>The file for a line of each request; null is none.</summary>
        public string? AccessLog { get; set; }

        /// <summary>Threads that run functions; 0 is what ubiq.toml says, or one a core.</summary>
        public int Workers { get; set; }

        /// <summary>Events are kept and not delivered, and cron does not tick.</summary>
        public bool HoldEvents { get; set; }

        /// <summary>Takes the lines of the log, one at a time, in a thread of the project's. It must not wait
        /// for the project, and what it throws is lost.</summary>
        public Action<UbiqLogLevel, string>? Log { get; set; }
    }
}
