using System;
using System.Text.Json;

namespace Ubiquitous.Extism
{
    // The same for each number of parameters, so that the compiler can tell a lambda's types.
    public sealed partial class HostFunction
    {
        /// <inheritdoc cref="Create(string, Delegate, object?, JsonSerializerOptions?)"/>
        public static HostFunction Create(string name, Action function,
            object? userData = null, JsonSerializerOptions? jsonOptions = null) =>
            Create(name, (Delegate)function, userData, jsonOptions);

        /// <inheritdoc cref="Create(string, Delegate, object?, JsonSerializerOptions?)"/>
        public static HostFunction Create<T1>(string name, Action<T1> function,
            object? userData = null, JsonSerializerOptions? jsonOptions = null) =>
            Create(name, (Delegate)function, userData, jsonOptions);

        /// <inheritdoc cref="Create(string, Delegate, object?, JsonSerializerOptions?)"/>
        public static HostFunction Create<T1, T2>(string name, Action<T1, T2> function,
            object? userData = null, JsonSerializerOptions? jsonOptions = null) =>
            Create(name, (Delegate)function, userData, jsonOptions);

        /// <inheritdoc cref="Create(string, Delegate, object?, JsonSerializerOptions?)"/>
        public static HostFunction Create<T1, T2, T3>(string name, Action<T1, T2, T3> function,
            object? userData = null, JsonSerializerOptions? jsonOptions = null) =>
            Create(name, (Delegate)function, userData, jsonOptions);

        /// <inheritdoc cref="Create(string, Delegate, object?, JsonSerializerOptions?)"/>
        public static HostFunction Create<T1, T2, T3, T4>(string name, Action<T1, T2, T3, T4> function,
            object? userData = null, JsonSerializerOptions? jsonOptions = null) =>
            Create(name, (Delegate)function, userData, jsonOptions);

        /// <inheritdoc cref="Create(string, Delegate, object?, JsonSerializerOptions?)"/>
        public static HostFunction Create<T1, T2, T3, T4, T5>(
            string name, Action<T1, T2, T3, T4, T5> function,
            object? userData = null, JsonSerializerOptions? jsonOptions = null) =>
            Create(name, (Delegate)function, userData, jsonOptions);

        /// <inheritdoc cref="Create(string, Delegate, object?, JsonSerializerOptions?)"/>
        public static HostFunction Create<T1, T2, T3, T4, T5, T6>(
            string name, Action<T1, T2, T3, T4, T5, T6> function,
            object? userData = null, JsonSerializerOptions? jsonOptions = null) =>
            Create(name, (Delegate)function, userData, jsonOptions);

        /// <inheritdoc cref="Create(string, Delegate, object?, JsonSerializerOptions?)"/>
        public static HostFunction Create<T1, T2, T3, T4, T5, T6, T7>(
            string name, Action<T1, T2, T3, T4, T5, T6, T7> function,
            object? userData = null, JsonSerializerOptions? jsonOptions = null) =>
            Create(name, (Delegate)function, userData, jsonOptions);

        /// <inheritdoc cref="Create(string, Delegate, object?, JsonSerializerOptions?)"/>
        public static HostFunction Create<T1, T2, T3, T4, T5, T6, T7, T8>(
            string name, Action<T1, T2, T3, T4, T5, T6, T7, T8> function,
            object? userData = null, JsonSerializerOptions? jsonOptions = null) =>
            Create(name, (Delegate)function, userData, jsonOptions);

        /// <inheritdoc cref="Create(string, Delegate, object?, JsonSerializerOptions?)"/>
        public static HostFunction Create<TResult>(string name, Func<TResult> function,
            object? userData = null, JsonSerializerOptions? jsonOptions = null) =>
            Create(name, (Delegate)function, userData, jsonOptions);

        /// <inheritdoc cref="Create(string, Delegate, object?, JsonSerializerOptions?)"/>
        public static HostFunction Create<T1, TResult>(string name, Func<T1, TResult> function,
            object? userData = null, JsonSerializerOptions? jsonOptions = null) =>
            Create(name, (Delegate)function, userData, jsonOptions);

        /// <inheritdoc cref="Create(string, Delegate, object?, JsonSerializerOptions?)"/>
        public static HostFunction Create<T1, T2, TResult>(string name, Func<T1, T2, TResult> function,
            object? userData = null, JsonSerializerOptions? jsonOptions = null) =>
            Create(name, (Delegate)function, userData, jsonOptions);

        /// <inheritdoc cref="Create(string, Delegate, object?, JsonSerializerOptions?)"/>
        public static HostFunction Create<T1, T2, T3, TResult>(
            string name, Func<T1, T2, T3, TResult> function,
            object? userData = null, JsonSerializerOptions? jsonOptions = null) =>
            Create(name, (Delegate)function, userData, jsonOptions);

        /// <inheritdoc cref="Create(string, Delegate, object?, JsonSerializerOptions?)"/>
        public static HostFunction Create<T1, T2, T3, T4, TResult>(
            string name, Func<T1, T2, T3, T4, TResult> function,
            object? userData = null, JsonSerializerOptions? jsonOptions = null) =>
            Create(name, (Delegate)function, userData, jsonOptions);

        /// <inheritdoc cref="Create(string, Delegate, object?, JsonSerializerOptions?)"/>
        public static HostFunction Create<T1, T2, T3, T4, T5, TResult>(
            string name, Func<T1, T2, T3, T4, T5, TResult> function,
            object? userData = null, JsonSerializerOptions? jsonOptions = null) =>
            Create(name, (Delegate)function, userData, jsonOptions);

        /// <inheritdoc cref="Create(string, Delegate, object?, JsonSerializerOptions?)"/>
        public static HostFunction Create<T1, T2, T3, T4, T5, T6, TResult>(
            string name, Func<T1, T2, T3, T4, T5, T6, TResult> function,
            object? userData = null, JsonSerializerOptions? jsonOptions = null) =>
            Create(name, (Delegate)function, userData, jsonOptions);

        /// <inheritdoc cref="Create(string, Delegate, object?, JsonSerializerOptions?)"/>
        public static HostFunction Create<T1, T2, T3, T4, T5, T6, T7, TResult>(
            string name, Func<T1, T2, T3, T4, T5, T6, T7, TResult> function,
            object? userData = null, JsonSerializerOptions? jsonOptions = null) =>
            Create(name, (Delegate)function, userData, jsonOptions);

        /// <inheritdoc cref="Create(string, Delegate, object?, JsonSerializerOptions?)"/>
        public static HostFunction Create<T1, T2, T3, T4, T5, T6, T7, T8, TResult>(
            string name, Func<T1, T2, T3, T4, T5, T6, T7, T8, TResult> function,
            object? userData = null, JsonSerializerOptions? jsonOptions = null) =>
            Create(name, (Delegate)function, userData, jsonOptions);
    }
}
