using System;
using System.Runtime.InteropServices;

namespace Ubiquitous.Extism
{
    /// <summary>Compiled modules of the library's.</summary>
    internal sealed class CompiledHandle : SafeHandle
    {
        internal CompiledHandle(IntPtr compiled) : base(IntPtr.Zero, true) => SetHandle(compiled);

        public override bool IsInvalid => handle == IntPtr.Zero;

        protected override bool ReleaseHandle()
        {
            Native.extism_compiled_plugin_free(handle);
            return true;
        }
    }

    /// <summary>A plug-in of the library's, and what its host functions find their call by.</summary>
    internal sealed class PluginHandle : SafeHandle
    {
        private GCHandle state;

        internal PluginHandle(IntPtr plugin, CallState state) : base(IntPtr.Zero, true)
        {
            this.state = GCHandle.Alloc(state);
            State = GCHandle.ToIntPtr(this.state);
            SetHandle(plugin);
        }

        /// <summary>The host context of its calls.</summary>
        internal IntPtr State { get; }

        public override bool IsInvalid => handle == IntPtr.Zero;

        protected override bool ReleaseHandle()
        {
            Native.extism_plugin_free(handle);
            state.Free();
            return true;
        }
    }
}
