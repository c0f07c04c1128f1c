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
            using var met = new ManualResetEvent(false);
            using Plugin plugin = Guest.Make();
            ExtismLog.Start(ExtismLogLevel.Info, entry =>
            {
                lock (lines)
                    lines.Add(entry);
                if (entry.Message == "throw")
                    throw new InvalidOperationException();
                if (entry.Message != "meet")
                    return;
                // A plug-in that another thread has just called, which has lines to give too.
                new Thread(() => plugin.Call("log", "there")) { IsBackground = true }.Start();
                Thread.Sleep(200);
                plugin.Call("log", "here");
                met.Set();
            });
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
            using Plugin other = Guest.Make();
            new Thread(() => other.Call("log", "meet")) { IsBackground = true }.Start();
            Check.True(met.WaitOne(TimeSpan.FromSeconds(20)), "the log and a plug-in wait for each other");
            Check.Throws<InvalidOperationException>(() => ExtismLog.Start(ExtismLogLevel.Info, "/dev/null"));
        }
    }
}
