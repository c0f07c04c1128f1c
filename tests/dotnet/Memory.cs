using System;
using System.IO;
using System.Linq;

namespace Ubiquitous.Extism.Tests
{
    internal static class Memory
    {
        /// <summary>The process's resident memory, in bytes.</summary>
        internal static long Resident()
        {
            string line = File.ReadLines("/proc/self/status").First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
            return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]) << 10;
        }
    }
}
