using System;
using System.Runtime.InteropServices;
using System.Threading;
using System.Threading.Tasks;

namespace Ubiquitous
{
    /// <summary>What the library calls when a call has ended.</summary>
    internal abstract class AsyncCall
    {
        private static readonly Native.DoneCallback DoneDelegate = OnDone;

        protected static readonly IntPtr Done = Marshal.GetFunctionPointerForDelegate(DoneDelegate);

        protected abstract void End(IntPtr result);

        private static void OnDone(IntPtr user, IntPtr result)
        {
            GCHandle self = GCHandle.FromIntPtr(user);
            var call = (AsyncCall)self.Target!;

            self.Free();
            call.End(result);
        }
    }

    /// <summary>A call that is under way.</summary>
    internal sealed unsafe class AsyncCall<T> : AsyncCall
    {
        /// <summary>Begins it: what it returns is 0, or why it did not begin.</summary>
        internal delegate int Beginner(IntPtr done, IntPtr user, IntPtr* call);

        private readonly TaskCompletionSource<T> completion =
            new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly Func<IntPtr, T> read;
        private readonly CancellationToken token;
        private readonly UbiqProject project; // lives as long as its calls
        private CancellationTokenRegistration registration;
        private CallHandle? call;
        private T value = default!;
        private UbiqException? failure;
        private int arrived;

        internal AsyncCall(UbiqProject project, Func<IntPtr, T> read, CancellationToken token)
        {
            this.project = project;
            this.read = read;
            this.token = token;
        }

        internal Task<T> Start(Beginner begin)
        {
            GCHandle self = GCHandle.Alloc(this);
            IntPtr handle;
            int code = (int)UbiqError.NoMemory;

            try
            {
                code = begin(Done, GCHandle.ToIntPtr(self), &handle);
            }
            finally
            {
                if (code != 0)
                    self.Free();
            }
            if (code != 0)
                throw new UbiqException((UbiqError)code, code == (int)UbiqError.Stopped
                                            ? "The project has been stopped." : "Out of memory.");
            call = new CallHandle(handle);
            registration = token.Register(it => Native.ubiq_call_cancel((CallHandle)it!), call);
            Arrive();
            return completion.Task;
        }

        protected override void End(IntPtr result)
        {
            try
            {
                value = Result.Take(result, read);
            }
            catch (UbiqException e)
            {
                failure = e;
            }
            catch (Exception e)
            {
                failure = new UbiqException(UbiqError.Failed, e.Message);
            }
            Arrive();
        }

        /// <summary>One of two things has happened: the call has ended, or its starter has its handle.</summary>
        private void Arrive()
        {
            if (Interlocked.Increment(ref arrived) < 2)
                return;
            registration.Dispose(); // waits for a cancellation that is on its way
            call!.Dispose();
            if (failure?.Error == UbiqError.Cancelled)
                completion.SetCanceled();
            else if (failure != null)
                completion.SetException(failure);
            else
                completion.SetResult(value);
            GC.KeepAlive(project);
        }
    }
}
