using System;
using System.Threading;

namespace Ubiquitous.Extism
{
    /// <summary>Stops a plug-in's call when a token says so. The library stops only what runs, and the call
    /// may be about to begin; so it is told again until the call has ended.</summary>
    internal sealed class Cancellation : IDisposable
    {
        private const int AgainMs = 5;

        private readonly IntPtr cancelHandle;
        private readonly CancellationTokenRegistration registration;
        private readonly object gate = new object();
        private Timer? again;
        private bool ended;

        internal Cancellation(IntPtr plugin, CancellationToken token)
        {
            cancelHandle = Native.extism_plugin_cancel_handle(plugin);
            registration = token.Register(it => ((Cancellation)it!).Cancel(), this);
        }

        public void Dispose()
        {
            registration.Dispose();
            lock (gate)
            {
                ended = true;
                again?.Dispose();
            }
        }

        private void Cancel()
        {
            lock (gate)
            {
                if (ended)
                    return;
                Native.extism_plugin_cancel(cancelHandle);
                again ??= new Timer(it => ((Cancellation)it!).Cancel(), this, AgainMs, AgainMs);
            }
        }
    }
}
