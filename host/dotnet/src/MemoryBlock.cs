using System;

namespace Ubiquitous.Extism
{
    /// <summary>A block of the memory that a plug-in and its host share.</summary>
    public readonly struct MemoryBlock : IEquatable<MemoryBlock>
    {
        /// <summary>The block at an offset that a plug-in has passed.</summary>
        public MemoryBlock(long offset, long length)
        {
            Offset = offset;
            Length = length;
        }

        /// <summary>Its handle; 0 is no block.</summary>
        public long Offset { get; }

        /// <summary>Its bytes.</summary>
        public long Length { get; }

        /// <inheritdoc/>
        public bool Equals(MemoryBlock other) => Offset == other.Offset && Length == other.Length;

        /// <inheritdoc/>
        public override bool Equals(object? obj) => obj is MemoryBlock other && Equals(other);

        /// <inheritdoc/>
        public override int GetHashCode() => HashCode.Combine(Offset, Length);
    }
}
