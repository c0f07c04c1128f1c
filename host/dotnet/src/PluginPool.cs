using System;
using System.Collections.Concurrent;
using System.Threading;
using System.Threading.Tasks;

namespace Ubiquitous.Extism
{
    /// <summary>Plug-ins of the same modules for many threads. Each keeps its state from one user to the next:
    /// where that must not be, call the <see cref="CompiledPlugin"/>.</summary>
    public sealed class PluginPool : IDisposable
    {
        private readonly CompiledPlugin compiled;
        private readonly ConcurrentBag<Plugin> idle = new ConcurrentBag<Plugin>();
        private readonly SemaphoreSlim free;
        private volatile bool disposed;

        /// <summary>Makes an empty one; plug-ins are made when they are needed.</summary>
        /// <param name="compiled">What they are made from; it must live as long as the pool.</param>
        /// <param name="size">The most there are; one a processor if it is null.</param>
        public PluginPool(CompiledPlugin compiled, int? size = null)
        {
            this.compiled = compiled ?? throw new ArgumentNullException(nameof(compiled));
            if (size <= 0)
                throw new ArgumentOutOfRangeException(nameof(size));
            free = new SemaphoreSlim(size ?? Environment.ProcessorCount);
        }

        /// <summary>Takes a plug-in, and waits for one while all are in use.</summary>
        public Rented Rent(CancellationToken cancellationToken = default)
        {
            free.Wait(cancellationToken);
            return Take();
        }

        /// <summary>Takes a plug-in, and waits for one, without a thread, while all are in use.</summary>
        public async ValueTask<Rented> RentAsync(CancellationToken cancellationToken = default)
        {
            await free.WaitAsync(cancellationToken).ConfigureAwait(false);
            return Take();
        }

        /// <summary>Frees the plug-ins that are not in use, and each of the others when it is given
        /// back.</summary>
        public void Dispose()
        {
            disposed = true;
            while (idle.TryTake(out Plugin? plugin))
                plugin.Dispose();
        }

        private Rented Take()
        {
            try
            {
                if (disposed)
                    throw new ObjectDisposedException(nameof(PluginPool));
                return new Rented(this, idle.TryTake(out Plugin? plugin) ? plugin : compiled.CreatePlugin());
            }
            catch
            {
                free.Release();
                throw;
            }
        }

        private void Give(Plugin plugin)
        {
            idle.Add(plugin);
            free.Release();
            if (disposed)
                Dispose();
        }

        /// <summary>A plug-in of a pool; disposing of it gives it back.</summary>
        public sealed class Rented : IDisposable
        {
            private readonly PluginPool pool;
            private Plugin? plugin;

            internal Rented(PluginPool pool, Plugin plugin)
            {
                this.pool = pool;
                this.plugin = plugin;
            }

            /// <summary>The plug-in.</summary>
            public Plugin Plugin => plugin ?? throw new ObjectDisposedException(nameof(Rented));

            /// <summary>Gives it back.</summary>
            public void Dispose()
            {
                if (Interlocked.Exchange(ref plugin, null) is Plugin given)
                    pool.Give(given);
            }
        }
    }
}
