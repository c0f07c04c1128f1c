using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;

namespace Ubiquitous.Extism.Tests
{
    public class LogTests
    {
        [Test]
        public void Lines()
        {
            var lines = new List<ExtismLogEntry>();
            ExtismLog.Start(ExtismLogLevel.Info, entry =>
            {
                lock (lines)
                    lines.Add(entry);
                if (entry.Message == "throw")
                    throw new InvalidOperationException();
            });
            using Plugin plugin = Guest.Make();
            plugin.Call("log", "a line: with a colon");
            plugin.Call("log", "throw");
            plugin.Call("log", "another");
            lock (lines)
            {
                ExtismLogEntry found = lines.First(l => l.Message == "a line: with a colon");
                Check.Equal(ExtismLogLevel.Warn, found.Level);
                Check.Equal("extism::pdk", found.Target);
                Check.Contains(plugin.Id.ToString(), found.Line);
                Check.True(lines.Any(l => l.Message == "another"), "a line is missing");
            }
            Check.Throws<InvalidOperationException>(() => ExtismLog.Start(ExtismLogLevel.Info, "/dev/null"));
        }
    }
}
