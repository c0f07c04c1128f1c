using System;
using System.Runtime.InteropServices;

namespace Ubiquitous.Extism
{
    /// <summary>A type of the values that a plug-in and its host exchange.</summary>
    public enum ExtismValueType
    {
        /// <summary>An integer of 32 bits.</summary>
        I32 = 0,

        /// <summary>An integer of 64 bits, or the handle of a block of memory.</summary>
        I64 = 1,

        /// <summary>A number of 32 bits.</summary>
        F32 = 2,

        /// <summary>A number of 64 bits.</summary>
        F64 = 3,
    }

    /// <summary>A value of one of those types.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 16)]
    public struct ExtismValue : IEquatable<ExtismValue>
    {
        [FieldOffset(0)] private readonly ExtismValueType type;
        [FieldOffset(8)] private long i64;
        [FieldOffset(8)] private int i32;
        [FieldOffset(8)] private float f32;
        [FieldOffset(8)] private double f64;

        private ExtismValue(ExtismValueType type) : this()
        {
            this.type = type;
        }

        /// <summary>An integer of 32 bits.</summary>
        public ExtismValue(int value) : this(ExtismValueType.I32) => i32 = value;

        /// <summary>An integer of 64 bits.</summary>
        public ExtismValue(long value) : this(ExtismValueType.I64) => i64 = value;

        /// <summary>A number of 32 bits.</summary>
        public ExtismValue(float value) : this(ExtismValueType.F32) => f32 = value;

        /// <summary>A number of 64 bits.</summary>
        public ExtismValue(double value) : this(ExtismValueType.F64) => f64 = value;

        /// <summary>Its type.</summary>
        public ExtismValueType Type => type;

        /// <summary>The value of an <see cref="ExtismValueType.I32"/>.</summary>
        public int I32
        {
            get => i32;
            set => i32 = Check(ExtismValueType.I32, value);
        }

        /// <summary>The value of an <see cref="ExtismValueType.I64"/>.</summary>
        public long I64
        {
            get => i64;
            set => i64 = Check(ExtismValueType.I64, value);
        }

        /// <summary>The value of an <see cref="ExtismValueType.F32"/>.</summary>
        public float F32
        {
            get => f32;
            set => f32 = Check(ExtismValueType.F32, value);
        }

        /// <summary>The value of an <see cref="ExtismValueType.F64"/>.</summary>
        public double F64
        {
            get => f64;
            set => f64 = Check(ExtismValueType.F64, value);
        }

        /// <inheritdoc/>
        public bool Equals(ExtismValue other) => type == other.type &&
            (type == ExtismValueType.I32 || type == ExtismValueType.F32 ? i32 == other.i32 : i64 == other.i64);

        /// <inheritdoc/>
        public override bool Equals(object? obj) => obj is ExtismValue other && Equals(other);

        /// <inheritdoc/>
        public override int GetHashCode() => HashCode.Combine(type, i32);

        /// <inheritdoc/>
        public override string ToString() => type switch
        {
            ExtismValueType.I32 => FormattableString.Invariant($"i32 {i32}"),
            ExtismValueType.I64 => FormattableString.Invariant($"i64 {i64}"),
            ExtismValueType.F32 => FormattableString.Invariant($"f32 {f32}"),
            _ => FormattableString.Invariant($"f64 {f64}"),
        };

        private T Check<T>(ExtismValueType wanted, T value) =>
            type == wanted ? value : throw new InvalidOperationException($"The value is an {type}.");
    }
}
