using System;
using System.Collections.Generic;
using System.Reflection;
using System.Text.Json;
using System.Threading.Tasks;

namespace Ubiquitous.Extism
{
    /// <summary>The work of a host function in terms of WebAssembly's values.</summary>
    /// <param name="plugin">The plug-in that calls.</param>
    /// <param name="inputs">The arguments.</param>
    /// <param name="outputs">Zeros of the results' types, to be filled in.</param>
    public delegate void RawHostFunction(CurrentPlugin plugin, ReadOnlySpan<ExtismValue> inputs,
                                         Span<ExtismValue> outputs);

    /// <summary>A function of this program's that plug-ins can import.</summary>
    /// <remarks>
    /// <para>It is made from a delegate or from methods, whose parameters and results are: numbers and bool as
    /// they are; string, byte[], <see cref="ReadOnlyMemory{T}"/> and spans of bytes, which lie in blocks of
    /// memory; <see cref="MemoryBlock"/>, which is such a block itself; and any other type as JSON in such a
    /// block. A <see cref="CurrentPlugin"/> and a <see cref="System.Threading.CancellationToken"/> among the
    /// parameters are the call's and not arguments. A function that returns a task holds no thread while it
    /// is awaited, in a call that is asynchronous itself.</para>
    /// <para>An exception ends the plug-in's call, which then throws
    /// <see cref="HostFunctionException"/>.</para>
    /// <para>It can be given to any number of plug-ins, and is then called by several threads at
    /// once.</para>
    /// </remarks>
    public sealed partial class HostFunction
    {
        /// <summary>Where Extism's plug-in kits import functions from if nothing else is said.</summary>
        public const string DefaultNamespace = "extism:host/user";

        private HostFunction(string name, string space, ExtismValueType[] inputs, ExtismValueType[] outputs,
                             object? userData, JsonSerializerOptions? jsonOptions)
        {
            Name = name ?? throw new ArgumentNullException(nameof(name));
            Namespace = space ?? throw new ArgumentNullException(nameof(space));
            Inputs = inputs;
            Outputs = outputs;
            UserData = userData;
            JsonOptions = jsonOptions;
        }

        private HostFunction(string name, string space, Binding binding, object? userData,
                             JsonSerializerOptions? jsonOptions)
            : this(name, space, binding.Inputs, binding.Outputs, userData, jsonOptions)
        {
            Invoke = binding.Invoke;
            Start = binding.Start;
            Finish = binding.Finish;
        }

        /// <summary>The name that plug-ins import it by.</summary>
        public string Name { get; }

        /// <summary>The namespace that plug-ins import it from.</summary>
        public string Namespace { get; }

        /// <summary>What the function finds as <see cref="CurrentPlugin.UserData"/>.</summary>
        public object? UserData { get; }

        /// <summary>The types of its arguments.</summary>
        public IReadOnlyList<ExtismValueType> Inputs { get; }

        /// <summary>The types of its results.</summary>
        public IReadOnlyList<ExtismValueType> Outputs { get; }

        internal JsonSerializerOptions? JsonOptions { get; }

        internal Action<CurrentPlugin>? Invoke { get; private set; }

        internal Func<CurrentPlugin, Task>? Start { get; private set; }

        internal Action<CurrentPlugin, Task>? Finish { get; private set; }

        /// <summary>The same function in another namespace.</summary>
        public HostFunction InNamespace(string name) =>
            new HostFunction(Name, name, (ExtismValueType[])Inputs, (ExtismValueType[])Outputs, UserData,
                             JsonOptions)
            { Invoke = Invoke, Start = Start, Finish = Finish };

        /// <summary>A function of any delegate.</summary>
        /// <param name="name">The name that plug-ins import it by.</param>
        /// <param name="function">What it does.</param>
        /// <param name="userData">What it finds as <see cref="CurrentPlugin.UserData"/>.</param>
        /// <param name="jsonOptions">How JSON is read and written.</param>
        /// <exception cref="ArgumentException">A parameter is passed by reference.</exception>
        public static HostFunction Create(string name, Delegate function, object? userData = null,
                                          JsonSerializerOptions? jsonOptions = null) =>
            new HostFunction(name, DefaultNamespace, Binding.Of(function), userData, jsonOptions);

        /// <summary>A function in terms of WebAssembly's values.</summary>
        /// <param name="name">The name that plug-ins import it by.</param>
        /// <param name="inputs">The types of its arguments.</param>
        /// <param name="outputs">The types of its results.</param>
        /// <param name="function">What it does.</param>
        /// <param name="userData">What it finds as <see cref="CurrentPlugin.UserData"/>.</param>
        public static HostFunction CreateRaw(string name, ExtismValueType[] inputs, ExtismValueType[] outputs,
                                             RawHostFunction function, object? userData = null)
        {
            if (function is null)
                throw new ArgumentNullException(nameof(function));
            return new HostFunction(name, DefaultNamespace, (ExtismValueType[])inputs.Clone(),
                                    (ExtismValueType[])outputs.Clone(), userData, null)
            { Invoke = plugin => function(plugin, plugin.Inputs, plugin.Outputs) };
        }

        /// <summary>A function of each method of an object that has a
        /// <see cref="HostFunctionAttribute"/>, static ones included.</summary>
        /// <param name="target">The object.</param>
        /// <param name="jsonOptions">How JSON is read and written.</param>
        public static IReadOnlyList<HostFunction> FromMethods(object target,
                                                              JsonSerializerOptions? jsonOptions = null)
        {
            const BindingFlags all = BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public |
                                     BindingFlags.NonPublic;
            var found = new List<HostFunction>();

            if (target is null)
                throw new ArgumentNullException(nameof(target));
            foreach (MethodInfo method in target.GetType().GetMethods(all))
            {
                if (method.GetCustomAttribute<HostFunctionAttribute>() is HostFunctionAttribute named)
                    found.Add(new HostFunction(named.Name, named.Namespace, Binding.Of(method, target), null,
                                               jsonOptions));
            }
            return found;
        }
    }
}
