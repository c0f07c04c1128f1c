using System;
using System.Diagnostics;
using System.Linq;
using System.Reflection;
using System.Threading.Tasks;

namespace Ubiquitous.Extism.Tests
{
    /// <summary>A method that is a test.</summary>
    [AttributeUsage(AttributeTargets.Method)]
    public sealed class TestAttribute : Attribute
    {
    }

    /// <summary>Thrown by a test that cannot be run here; its message says why.</summary>
    public sealed class SkipException : Exception
    {
        public SkipException(string why) : base(why)
        {
        }
    }

    /// <summary>Runs the tests, or those in whose name the first argument is, and counts them; or the one
    /// of Soak or Bench.</summary>
    public static class Runner
    {
        /// <summary>Where the plug-ins are that were built from C, C++, Rust, Go and JavaScript.</summary>
        public static string Plugins { get; private set; } = "";

        public static async Task<int> Main(string[] arguments)
        {
            int passed = 0, failed = 0, skipped = 0;

            if (arguments.Length > 0 && arguments[0] == "soak")
                return Soak.Run();
            if (arguments.Length > 0 && arguments[0] == "bench")
                return Bench.Run(arguments.Length > 1 && arguments[1] == "quick");
            Plugins = Environment.GetEnvironmentVariable("PLUGINS") ?? "";
            foreach (Type type in Assembly.GetExecutingAssembly().GetTypes().OrderBy(t => t.Name))
            {
                foreach (MethodInfo method in type.GetMethods())
                {
                    string name = $"{type.Name}.{method.Name}";
                    if (method.GetCustomAttribute<TestAttribute>() is null ||
                        (arguments.Length > 0 && !name.Contains(arguments[0], StringComparison.Ordinal)))
                        continue;
                    switch (await RunOne(name, method))
                    {
                        case true:
                            passed++;
                            break;
                        case false:
                            failed++;
                            break;
                        default:
                            skipped++;
                            break;
                    }
                }
            }
            Console.WriteLine($"{passed} passed, {failed} failed, {skipped} skipped");
            return failed == 0 && passed > 0 ? 0 : 1;
        }

        /// <summary>Whether it passed; null if it was skipped.</summary>
        private static async Task<bool?> RunOne(string name, MethodInfo method)
        {
            var watch = Stopwatch.StartNew();
            try
            {
                object? instance = method.IsStatic ? null : Activator.CreateInstance(method.DeclaringType!);
                if (method.Invoke(instance, null) is Task task)
                    await task;
                Console.WriteLine($"ok      {name} ({watch.ElapsedMilliseconds} ms)");
                return true;
            }
            catch (Exception e)
            {
                Exception cause = e is TargetInvocationException ? e.InnerException! : e;
                bool skip = cause is SkipException;
                Console.WriteLine(skip ? $"skipped {name}: {cause.Message}" : $"FAILED  {name}: {cause}");
                return skip ? (bool?)null : false;
            }
        }
    }

    /// <summary>What tests assert with.</summary>
    public static class Check
    {
        public static void Equal<T>(T expected, T found)
        {
            if (!Equals(expected, found))
                throw new Exception($"expected {expected}, found {found}");
        }

        public static void True(bool holds, string what)
        {
            if (!holds)
                throw new Exception(what);
        }

        public static void Contains(string expected, string found) =>
            True(found.Contains(expected, StringComparison.Ordinal), $"no \"{expected}\" in: {found}");

        public static T Throws<T>(Action action)
            where T : Exception
        {
            try
            {
                action();
            }
            catch (T e)
            {
                return e;
            }
            throw new Exception($"no {typeof(T).Name} was thrown");
        }

        public static async Task<T> ThrowsAsync<T>(Func<Task> action)
            where T : Exception
        {
            try
            {
                await action();
            }
            catch (T e)
            {
                return e;
            }
            throw new Exception($"no {typeof(T).Name} was thrown");
        }
    }
}
