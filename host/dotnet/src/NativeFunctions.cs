using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.InteropServices;
using System.Threading;
using System.Threading.Tasks;

namespace Ubiquitous.Extism
{
    /// <summary>The library's handles of host functions, and the way from there to the functions.</summary>
    /// <remarks>What the library keeps of a function is a weak handle. The plug-in's own object keeps the
    /// function: were it the library, a function that refers to its plug-in would keep that for
    /// ever.</remarks>
    internal sealed unsafe class NativeFunctions : IDisposable
    {
        // They must live as long as anything that may call them.
        private static readonly Native.HostFunctionCallback CallDelegate = OnCall;
        private static readonly Native.StartCallback StartDelegate = OnStart;
        private static readonly Native.FinishCallback FinishDelegate = OnFinish;
        private static readonly Native.FreeCallback FreeDelegate = OnFree;
        private static readonly IntPtr Call = Marshal.GetFunctionPointerForDelegate(CallDelegate);
        private static readonly IntPtr Start = Marshal.GetFunctionPointerForDelegate(StartDelegate);
        private static readonly IntPtr Finish = Marshal.GetFunctionPointerForDelegate(FinishDelegate);
        private static readonly IntPtr Free = Marshal.GetFunctionPointerForDelegate(FreeDelegate);

        private readonly List<IntPtr> handles = new List<IntPtr>();

        internal NativeFunctions(IEnumerable<HostFunction> functions)
        {
            try
            {
                foreach (HostFunction function in functions)
                    handles.Add(Create(function));
            }
            catch
            {
                Dispose();
                throw;
            }
        }

        internal IntPtr[] Handles => handles.ToArray();

        /// <summary>Frees the handles; functions that a plug-in has taken live on.</summary>
        public void Dispose()
        {
            foreach (IntPtr handle in handles)
                Native.extism_function_free(handle);
            handles.Clear();
        }

        private static IntPtr Create(HostFunction function)
        {
            byte[] name = Utf8.WithNul(function.Name, nameof(function));
            byte[] space = Utf8.WithNul(function.Namespace, nameof(function));
            int[] inputs = function.Inputs.Select(t => (int)t).ToArray();
            int[] outputs = function.Outputs.Select(t => (int)t).ToArray();
            GCHandle weak = GCHandle.Alloc(function, GCHandleType.Weak);
            IntPtr data = GCHandle.ToIntPtr(weak), made;

            fixed (byte* nameBytes = name, spaceBytes = space)
            fixed (int* inputTypes = inputs, outputTypes = outputs)
            {
                made = function.Start is null
                    ? Native.extism_function_new(nameBytes, inputTypes, (ulong)inputs.Length, outputTypes,
                                                 (ulong)outputs.Length, Call, data, Free)
                    : Native.extism_function_new_async(nameBytes, inputTypes, (ulong)inputs.Length, outputTypes,
                                                       (ulong)outputs.Length, Start, data, Free);
                if (made != IntPtr.Zero)
                    Native.extism_function_set_namespace(made, spaceBytes);
            }
            if (made == IntPtr.Zero)
            {
                weak.Free();
                throw new ExtismException($"The host function {function.Name} cannot be made.");
            }
            return made;
        }

        private static HostFunction Of(IntPtr data) => (HostFunction)GCHandle.FromIntPtr(data).Target!;

        private static void OnFree(IntPtr data) => GCHandle.FromIntPtr(data).Free();

        // No exception may leave these: there is nobody to catch it.

        private static void OnCall(IntPtr plugin, ExtismValue* inputs, ulong inputCount, ExtismValue* outputs,
                                   ulong outputCount, IntPtr data)
        {
            CallState state = CallState.Of(plugin);
            HostFunction function = Of(data);
            CurrentPlugin current = state.Current;

            current.Enter(plugin, function, inputs, (int)inputCount, outputs, (int)outputCount);
            try
            {
                function.Invoke!(current);
            }
            catch (Exception e)
            {
                state.Fail(plugin, function.Name, e);
            }
            finally
            {
                current.Leave();
            }
        }

        /// <summary>A call of a function that returns a task, from its beginning to its end.</summary>
        private sealed class Pending
        {
            internal readonly CallState State;
            internal readonly HostFunction Function;
            internal Task Task = Task.CompletedTask;

            internal Pending(CallState state, HostFunction function)
            {
                State = state;
                Function = function;
            }
        }

        private static void OnStart(IntPtr plugin, ExtismValue* inputs, ulong inputCount, IntPtr pending,
                                    IntPtr data)
        {
            var call = new Pending(CallState.Of(plugin), Of(data));
            CurrentPlugin current = call.State.Current;
            SynchronizationContext? context = SynchronizationContext.Current;

            current.Enter(plugin, call.Function, inputs, (int)inputCount, null, 0);
            try
            {
                // What is awaited must not go on in a thread that waits for this call.
                SynchronizationContext.SetSynchronizationContext(null);
                call.Task = call.Function.Start!(current) ??
                            throw new InvalidOperationException("The function returned no task.");
            }
            catch (Exception e)
            {
                call.Task = Task.FromException(e);
            }
            finally
            {
                SynchronizationContext.SetSynchronizationContext(context);
                current.Leave();
            }
            call.Task.ContinueWith(
                (task, it) =>
                    Native.extism_pending_finish(pending, Finish, GCHandle.ToIntPtr(GCHandle.Alloc(it))),
                call, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default);
        }

        private static void OnFinish(IntPtr plugin, ExtismValue* outputs, ulong outputCount, IntPtr arg)
        {
            GCHandle handle = GCHandle.FromIntPtr(arg);
            var call = (Pending)handle.Target!;
            CurrentPlugin current = call.State.Current;

            handle.Free();
            if (plugin == IntPtr.Zero)
            {
                _ = call.Task.Exception; // it was for a call that is over
                return;
            }
            current.Enter(plugin, call.Function, null, 0, outputs, (int)outputCount);
            try
            {
                call.Function.Finish!(current, call.Task);
            }
            catch (Exception e)
            {
                call.State.Fail(plugin, call.Function.Name, e);
            }
            finally
            {
                current.Leave();
            }
        }
    }
}
