namespace Ubiquitous.Extism
{
    /// <summary>How a plug-in is made.</summary>
    public sealed class PluginOptions
    {
        /// <summary>Whether its modules may import WASI.</summary>
        public bool WithWasi { get; set; }

        /// <summary>What each call may compute, in units of about one WebAssembly instruction.</summary>
        public ulong? FuelLimit { get; set; }
    }

    /// <summary>Reads a call's output where it is; it is gone afterwards.</summary>
    /// <typeparam name="TResult">What is made of it.</typeparam>
    public delegate TResult OutputReader<TResult>(System.ReadOnlySpan<byte> output);
}
