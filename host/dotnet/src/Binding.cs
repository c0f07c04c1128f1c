using System;
using System.Collections.Generic;
using System.Linq;
using System.Linq.Expressions;
using System.Reflection;
using System.Threading;
using System.Threading.Tasks;

namespace Ubiquitous.Extism
{
    /// <summary>Makes of a function with .NET's types one that reads its arguments from, and writes its
    /// result to, a plug-in. The code for it is generated once.</summary>
    internal sealed class Binding
    {
        private const BindingFlags Members = BindingFlags.Instance | BindingFlags.NonPublic;

        private static readonly Dictionary<Type, (ExtismValueType, string)> Known =
            new Dictionary<Type, (ExtismValueType, string)>
            {
                [typeof(int)] = (ExtismValueType.I32, nameof(CurrentPlugin.Int32At)),
                [typeof(uint)] = (ExtismValueType.I32, nameof(CurrentPlugin.UInt32At)),
                [typeof(bool)] = (ExtismValueType.I32, nameof(CurrentPlugin.BooleanAt)),
                [typeof(long)] = (ExtismValueType.I64, nameof(CurrentPlugin.Int64At)),
                [typeof(ulong)] = (ExtismValueType.I64, nameof(CurrentPlugin.UInt64At)),
                [typeof(float)] = (ExtismValueType.F32, nameof(CurrentPlugin.SingleAt)),
                [typeof(double)] = (ExtismValueType.F64, nameof(CurrentPlugin.DoubleAt)),
                [typeof(MemoryBlock)] = (ExtismValueType.I64, nameof(CurrentPlugin.BlockAt)),
                [typeof(string)] = (ExtismValueType.I64, nameof(CurrentPlugin.StringAt)),
                [typeof(byte[])] = (ExtismValueType.I64, nameof(CurrentPlugin.BytesAt)),
                [typeof(ReadOnlyMemory<byte>)] = (ExtismValueType.I64, nameof(CurrentPlugin.MemoryAt)),
                [typeof(Span<byte>)] = (ExtismValueType.I64, nameof(CurrentPlugin.SpanAt)),
                [typeof(ReadOnlySpan<byte>)] = (ExtismValueType.I64, nameof(CurrentPlugin.ReadOnlySpanAt)),
            };

        private readonly List<ExtismValueType> inputs = new List<ExtismValueType>();
        private readonly List<ExtismValueType> outputs = new List<ExtismValueType>();

        private Binding(MethodInfo method, Expression? target)
        {
            ParameterExpression plugin = Expression.Parameter(typeof(CurrentPlugin), "plugin");
            Expression[] arguments = method.GetParameters().Select(p => Argument(plugin, p)).ToArray();
            Expression call = Expression.Call(target, method, arguments);
            Type? awaited = Awaited(method.ReturnType);

            if (awaited is null)
            {
                Expression body = call.Type == typeof(void) ? call : Return(plugin, call);
                Invoke = Expression.Lambda<Action<CurrentPlugin>>(body, plugin).Compile();
                return;
            }
            if (!typeof(Task).IsAssignableFrom(call.Type))
                call = Expression.Call(call, nameof(ValueTask.AsTask), null);
            Start = Expression.Lambda<Func<CurrentPlugin, Task>>(call, plugin).Compile();
            Finish = awaited == typeof(void) ? (p, task) => task.GetAwaiter().GetResult() : ResultOf(awaited);
        }

        internal ExtismValueType[] Inputs => inputs.ToArray();

        internal ExtismValueType[] Outputs => outputs.ToArray();

        /// <summary>The whole function, unless it returns a task.</summary>
        internal Action<CurrentPlugin>? Invoke { get; }

        /// <summary>Begins a function that returns a task.</summary>
        internal Func<CurrentPlugin, Task>? Start { get; }

        /// <summary>Writes the result of a task that is done, or throws its exception.</summary>
        internal Action<CurrentPlugin, Task>? Finish { get; }

        internal static Binding Of(Delegate function) =>
            new Binding(function.GetType().GetMethod("Invoke")!, Expression.Constant(function));

        internal static Binding Of(MethodInfo method, object? target) =>
            new Binding(method, method.IsStatic ? null : Expression.Constant(target));

        private static Type? Awaited(Type type)
        {
            if (type == typeof(Task) || type == typeof(ValueTask))
                return typeof(void);
            if (!type.IsGenericType)
                return null;
            Type definition = type.GetGenericTypeDefinition();
            return definition == typeof(Task<>) || definition == typeof(ValueTask<>)
                ? type.GetGenericArguments()[0]
                : null;
        }

        private Expression Argument(ParameterExpression plugin, ParameterInfo parameter)
        {
            Type type = parameter.ParameterType;

            if (type == typeof(CurrentPlugin))
                return plugin;
            if (type == typeof(CancellationToken))
                return Expression.Property(plugin, nameof(CurrentPlugin.CancellationToken));
            if (type.IsByRef || type.IsPointer)
                throw new ArgumentException($"A plug-in cannot pass {parameter.Name}, a {type}.");
            ConstantExpression index = Expression.Constant(inputs.Count);
            if (Known.TryGetValue(type, out (ExtismValueType Wasm, string Reader) known))
            {
                inputs.Add(known.Wasm);
                return Expression.Call(plugin, typeof(CurrentPlugin).GetMethod(known.Reader, Members)!, index);
            }
            inputs.Add(ExtismValueType.I64);
            MethodInfo json = typeof(CurrentPlugin).GetMethod(nameof(CurrentPlugin.JsonAt), Members)!;
            return Expression.Call(plugin, json.MakeGenericMethod(type), index);
        }

        private Expression Return(Expression plugin, Expression value)
        {
            if (Known.TryGetValue(value.Type, out (ExtismValueType Wasm, string) known))
            {
                outputs.Add(known.Wasm);
                MethodInfo plain = typeof(CurrentPlugin).GetMethod(nameof(CurrentPlugin.Return), Members, null,
                                                                   new[] { value.Type }, null)!;
                return Expression.Call(plugin, plain, value);
            }
            outputs.Add(ExtismValueType.I64);
            MethodInfo json = typeof(CurrentPlugin).GetMethod(nameof(CurrentPlugin.ReturnJson), Members)!;
            return Expression.Call(plugin, json.MakeGenericMethod(value.Type), value);
        }

        private static T Result<T>(Task task) => ((Task<T>)task).GetAwaiter().GetResult();

        /// <summary>(plugin, task) => plugin.Return(Result(task))</summary>
        private Action<CurrentPlugin, Task> ResultOf(Type type)
        {
            ParameterExpression plugin = Expression.Parameter(typeof(CurrentPlugin), "plugin");
            ParameterExpression task = Expression.Parameter(typeof(Task), "task");
            Expression result = Expression.Call(typeof(Binding), nameof(Result), new[] { type }, task);
            return Expression.Lambda<Action<CurrentPlugin, Task>>(Return(plugin, result), plugin, task)
                             .Compile();
        }
    }
}
