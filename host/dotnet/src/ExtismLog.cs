using System;
using System.Runtime.InteropServices;
using System.Text;
using System.Threading;

namespace Ubiquitous.Extism
{
    /// <summary>How much a line of the log matters.</summary>
    public enum ExtismLogLevel
    {
        /// <summary>Something failed.</summary>
        Error,

        /// <summary>Something looks wrong.</summary>
        Warn,

        /// <summary>Something happened.</summary>
        Info,

        /// <summary>For those who look for a mistake.</summary>
        Debug,

        /// <summary>Everything.</summary>
        Trace,
    }

    /// <summary>A line of the log.</summary>
    public readonly struct ExtismLogEntry
    {
        internal ExtismLogEntry(ExtismLogLevel level, string target, string message, string line)
        {
            Level = level;
            Target = target;
            Message = message;
            Line = line;
        }

        /// <summary>How much it matters.</summary>
        public ExtismLogLevel Level { get; }

        /// <summary>Who wrote it: <c>extism::pdk</c> is the plug-in.</summary>
        public string Target { get; }

        /// <summary>What was written.</summary>
        public string Message { get; }

        /// <summary>All of it, with time and plug-in.</summary>
        public string Line { get; }
    }

    /// <summary>The library's log, and that of its plug-ins: one for the process.</summary>
    public static unsafe class ExtismLog
    {
        private const int DrainMs = 200;

        private static readonly Native.LogCallback LineDelegate = OnLine;
        private static readonly IntPtr Line = Marshal.GetFunctionPointerForDelegate(LineDelegate);
        private static readonly object Gate = new object();
        private static volatile Action<ExtismLogEntry>? sink;
        private static Timer? timer;

        /// <summary>Gives each line to a function: after the call that wrote it, or soon if that is a long
        /// one. It can be called from any thread, one at a time, and what it throws is lost.</summary>
        /// <param name="level">What matters less is not logged.</param>
        /// <param name="write">Takes a line.</param>
        /// <exception cref="InvalidOperationException">The log was set up before.</exception>
        public static void Start(ExtismLogLevel level, Action<ExtismLogEntry> write)
        {
            if (write is null)
                throw new ArgumentNullException(nameof(write));
            fixed (byte* filter = Utf8.WithNul(level.ToString().ToLowerInvariant(), nameof(level)))
                Check(Native.extism_log_custom(filter));
            sink = write;
            timer = new Timer(_ => Drain(), null, DrainMs, DrainMs);
        }

        /// <summary>Sends the log to a file.</summary>
        /// <param name="level">What matters less is not logged.</param>
        /// <param name="path">Its path, or <c>stdout</c> or <c>stderr</c>.</param>
        /// <exception cref="InvalidOperationException">The log was set up before, or the file cannot be
        /// opened.</exception>
        public static void Start(ExtismLogLevel level, string path)
        {
            fixed (byte* file = Utf8.WithNul(path, nameof(path)),
                   filter = Utf8.WithNul(level.ToString().ToLowerInvariant(), nameof(level)))
                Check(Native.extism_log_file(file, filter));
        }

        /// <summary>Gives the lines there are to the function now.</summary>
        public static void Drain()
        {
            // A function that logs by calling a plug-in comes here again; its lines are for the next time.
            if (sink is null || Monitor.IsEntered(Gate))
                return;
            lock (Gate)
                Native.extism_log_drain(Line);
        }

        internal static void DrainIfOn()
        {
            if (sink != null)
                Drain();
        }

        private static void Check(byte done)
        {
            if (done == 0)
                throw new InvalidOperationException("The log was set up before, or cannot be.");
        }

        private static void OnLine(byte* line, ulong length)
        {
            try
            {
                sink!(Parse(Encoding.UTF8.GetString(line, (int)length).TrimEnd('\n')));
            }
            catch (Exception)
            {
                // It must not reach the library, and there is no log for it.
            }
        }

        /// <summary>"time LEVEL target: message plugin="id""</summary>
        private static ExtismLogEntry Parse(string line)
        {
            string rest = line.Substring(line.IndexOf(' ') + 1).TrimStart();
            int space = rest.IndexOf(' '), colon = rest.IndexOf(": ", StringComparison.Ordinal);
            int plugin = rest.LastIndexOf(" plugin=\"", StringComparison.Ordinal);

            if (space < 0 || colon < space ||
                !Enum.TryParse(rest.Substring(0, space), true, out ExtismLogLevel level))
                return new ExtismLogEntry(ExtismLogLevel.Error, "", line, line);
            int end = plugin > colon ? plugin : rest.Length;
            return new ExtismLogEntry(level, rest.Substring(space + 1, colon - space - 1),
                                      rest.Substring(colon + 2, end - colon - 2), line);
        }
    }

    /// <summary>The library that does the work.</summary>
    public static unsafe class ExtismLibrary
    {
        /// <summary>The version of Extism's library whose behaviour it has.</summary>
        public static string Version => Utf8.Read(Native.extism_version())!;
    }
}
