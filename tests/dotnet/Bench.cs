namespace Ubiquitous.Extism.Tests
{
    internal static class Bench
    {
        internal static int Run(string[] arguments) => arguments.Length;
    }
}
