using System;
using System.Runtime.CompilerServices;
using System.Threading.Tasks;

namespace Ubiquitous.Extism.Tests
{
    /// <summary>What a caller forgets is freed.</summary>
    public class LeakTests
    {
        /// <summary>A plug-in whose host function refers to it, which is called and then forgotten.</summary>
        [MethodImpl(MethodImplOptions.NoInlining)]
        private static (WeakReference Plugin, WeakReference Data) Forget()
        {
            Plugin? plugin = null;
            var data = new object();
            HostFunction function = HostFunction.Create(
                "text", (string text) => plugin!.GetHashCode() == 0 ? "" : data.GetHashCode() == 0 ? "" : text);
            plugin = Guest.Make(function);
            Check.Equal("x", plugin.Call("text", "x", data));
            return (new WeakReference(plugin), new WeakReference(data));
        }

        [Test]
        public void ForgottenPlugins()
        {
            (WeakReference plugin, WeakReference data) = Forget();
            Collect();
            Check.Equal(false, plugin.IsAlive);
            Check.Equal(false, data.IsAlive);
        }

        [Test]
        public void ForgottenMemory()
        {
            using CompiledPlugin compiled = Guest.Compile();
            for (int i = 0; i < 200; i++)
                Make(compiled, 10);
            Collect();
            long before = Memory.Resident();
            for (int i = 0; i < 2000; i++)
            {
                Make(compiled, 10);
                if (i % 100 == 0)
                    Collect();
            }
            Collect();
            long grown = Memory.Resident() - before;
            Check.True(grown < 20 << 20, $"grown by {grown >> 10} KiB");
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        private static void Make(CompiledPlugin compiled, int calls)
        {
            Plugin plugin = compiled.CreatePlugin();
            for (int i = 0; i < calls; i++)
                plugin.Call("text", "x", new object());
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        private static WeakReference Abandon(TaskCompletionSource<string> later)
        {
            CompiledPlugin compiled = Guest.Compile(HostFunction.Create("text", (string text) => later.Task));
            _ = compiled.CallAsync("text", "x");
            return new WeakReference(compiled);
        }

        /// <summary>A call that nobody awaits keeps its plug-in until it is done, and no longer.</summary>
        [Test]
        public async Task AbandonedCalls()
        {
            var later = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
            WeakReference compiled = Abandon(later);
            await Task.Delay(20);
            Collect();
            Check.Equal(true, compiled.IsAlive);
            later.SetResult("x");
            for (int i = 0; i < 200 && compiled.IsAlive; i++)
            {
                await Task.Delay(10);
                Collect();
            }
            Check.Equal(false, compiled.IsAlive);
        }

        internal static void Collect()
        {
            for (int i = 0; i < 3; i++)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }
        }
    }
}
