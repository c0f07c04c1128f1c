using System;
using System.Text;
using System.Text.Json;
using System.Threading;

namespace Ubiquitous.Extism
{
    /// <summary>A plug-in while it calls a host function: its memory and what its caller has passed. It is
    /// valid until that function returns, or until its first <c>await</c>, and must not be kept.</summary>
    public sealed unsafe class CurrentPlugin
    {
        private readonly CallState state;
        private IntPtr handle;
        private ExtismValue* inputs;
        private ExtismValue* outputs;
        private int inputCount;
        private int outputCount;
        private HostFunction? function;

        internal CurrentPlugin(CallState state) => this.state = state;

        /// <summary>What the call was given as host context.</summary>
        public object? HostContext => state.HostContext;

        /// <summary>Cancelled when the call is.</summary>
        public CancellationToken CancellationToken => state.Token;

        /// <summary>What the host function was made with.</summary>
        public object? UserData => function?.UserData;

        private IntPtr Handle => handle != IntPtr.Zero
            ? handle
            : throw new ObjectDisposedException(nameof(CurrentPlugin), "The host function has returned.");

        /// <summary>Allocates a block of zeros; the plug-in frees it.</summary>
        /// <exception cref="ExtismException">There is no room for it.</exception>
        public MemoryBlock Allocate(long length)
        {
            if (length < 0)
                throw new ArgumentOutOfRangeException(nameof(length));
            if (length == 0)
                return default;
            ulong offset = Native.extism_current_plugin_memory_alloc(Handle, (ulong)length);
            if (offset == 0)
                throw new ExtismException($"The plug-in has no memory for {length} bytes.");
            return new MemoryBlock((long)offset, length);
        }

        /// <summary>The block that a handle names, of no bytes if it names none.</summary>
        public MemoryBlock GetBlock(long offset) => offset == 0
            ? default
            : new MemoryBlock(offset,
                              (long)Native.extism_current_plugin_memory_length(Handle, (ulong)offset));

        /// <summary>A block's bytes. They may lie elsewhere after the next allocation.</summary>
        public Span<byte> GetMemory(MemoryBlock block)
        {
            MemoryBlock whole = GetBlock(block.Offset);
            if (block.Length < 0 || block.Length > whole.Length)
                throw new ArgumentOutOfRangeException(nameof(block), "It is longer than the plug-in's block.");
            if (block.Length == 0)
                return default;
            return new Span<byte>(Native.extism_current_plugin_memory(Handle) + block.Offset,
                                  checked((int)block.Length));
        }

        /// <summary>The bytes of the block that a handle names.</summary>
        public Span<byte> GetMemory(long offset) => GetMemory(GetBlock(offset));

        /// <summary>The text in the block that a handle names.</summary>
        public string GetString(long offset) => Encoding.UTF8.GetString(GetMemory(offset));

        /// <summary>What the JSON in the block that a handle names says.</summary>
        public T GetJson<T>(long offset) =>
            JsonSerializer.Deserialize<T>(GetMemory(offset), function?.JsonOptions)!;

        /// <summary>Copies bytes to a new block.</summary>
        public MemoryBlock Write(ReadOnlySpan<byte> bytes)
        {
            MemoryBlock block = Allocate(bytes.Length);
            bytes.CopyTo(GetMemory(block));
            return block;
        }

        /// <summary>Copies text to a new block.</summary>
        public MemoryBlock Write(string text)
        {
            MemoryBlock block = Allocate(Encoding.UTF8.GetByteCount(text));
            Encoding.UTF8.GetBytes(text, GetMemory(block));
            return block;
        }

        /// <summary>Writes a value as JSON to a new block.</summary>
        public MemoryBlock WriteJson<T>(T value) =>
            Write(JsonSerializer.SerializeToUtf8Bytes(value, function?.JsonOptions));

        /// <summary>Frees a block.</summary>
        public void Free(MemoryBlock block) =>
            Native.extism_current_plugin_memory_free(Handle, (ulong)block.Offset);

        internal void Enter(IntPtr plugin, HostFunction called, ExtismValue* arguments, int argumentCount,
                            ExtismValue* results, int resultCount)
        {
            handle = plugin;
            function = called;
            inputs = arguments;
            inputCount = argumentCount;
            outputs = results;
            outputCount = resultCount;
        }

        internal void Leave()
        {
            handle = IntPtr.Zero;
            function = null; // which may refer to the plug-in
            inputs = outputs = null;
            inputCount = outputCount = 0;
        }

        internal ReadOnlySpan<ExtismValue> Inputs => new ReadOnlySpan<ExtismValue>(inputs, inputCount);

        internal Span<ExtismValue> Outputs => new Span<ExtismValue>(outputs, outputCount);

        // What Binding's compiled functions read arguments and write results with.
        internal int Int32At(int index) => inputs[index].I32;
        internal uint UInt32At(int index) => unchecked((uint)inputs[index].I32);
        internal bool BooleanAt(int index) => inputs[index].I32 != 0;
        internal long Int64At(int index) => inputs[index].I64;
        internal ulong UInt64At(int index) => unchecked((ulong)inputs[index].I64);
        internal float SingleAt(int index) => inputs[index].F32;
        internal double DoubleAt(int index) => inputs[index].F64;
        internal MemoryBlock BlockAt(int index) => GetBlock(inputs[index].I64);
        internal string StringAt(int index) => GetString(inputs[index].I64);
        internal byte[] BytesAt(int index) => GetMemory(inputs[index].I64).ToArray();
        internal ReadOnlyMemory<byte> MemoryAt(int index) => BytesAt(index);
        internal Span<byte> SpanAt(int index) => GetMemory(inputs[index].I64);
        internal ReadOnlySpan<byte> ReadOnlySpanAt(int index) => GetMemory(inputs[index].I64);
        internal T JsonAt<T>(int index) => GetJson<T>(inputs[index].I64);

        internal void Return(int value) => outputs[0].I32 = value;
        internal void Return(uint value) => outputs[0].I32 = unchecked((int)value);
        internal void Return(bool value) => outputs[0].I32 = value ? 1 : 0;
        internal void Return(long value) => outputs[0].I64 = value;
        internal void Return(ulong value) => outputs[0].I64 = unchecked((long)value);
        internal void Return(float value) => outputs[0].F32 = value;
        internal void Return(double value) => outputs[0].F64 = value;
        internal void Return(MemoryBlock value) => outputs[0].I64 = value.Offset;
        internal void Return(string? value) => outputs[0].I64 = value is null ? 0 : Write(value).Offset;
        internal void Return(byte[]? value) => outputs[0].I64 = Write(value).Offset;
        internal void Return(ReadOnlyMemory<byte> value) => outputs[0].I64 = Write(value.Span).Offset;
        internal void Return(Span<byte> value) => outputs[0].I64 = Write(value).Offset;
        internal void Return(ReadOnlySpan<byte> value) => outputs[0].I64 = Write(value).Offset;
        internal void ReturnJson<T>(T value) => outputs[0].I64 = WriteJson(value).Offset;
    }
}
