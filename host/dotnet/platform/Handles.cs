using System;
using System.Runtime.InteropServices;

namespace Ubiquitous
{
    /// <summary>A project of the library's, and what its log callback finds its function by.</summary>
    internal sealed class ProjectHandle : SafeHandle
    {
        private GCHandle log;

        internal ProjectHandle(IntPtr project, GCHandle log) : base(IntPtr.Zero, true)
        {
            this.log = log;
            SetHandle(project);
        }

        public override bool IsInvalid => handle == IntPtr.Zero;

        protected override bool ReleaseHandle()
        {
            if (Native.ubiq_project_free(handle) != 0)
                return false;
            if (log.IsAllocated)
                log.Free();
            return true;
        }
    }

    /// <summary>A call that is under way.</summary>
    internal sealed class CallHandle : SafeHandle
    {
        internal CallHandle(IntPtr call) : base(IntPtr.Zero, true) => SetHandle(call);

        public override bool IsInvalid => handle == IntPtr.Zero;

        protected override bool ReleaseHandle()
        {
            Native.ubiq_call_free(handle);
            return true;
        }
    }
}
