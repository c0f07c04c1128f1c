using System;

namespace Ubiquitous.Extism
{
    /// <summary>Makes a method one of those that <see cref="HostFunction.FromMethods"/> finds.</summary>
    [AttributeUsage(AttributeTargets.Method)]
    public sealed class HostFunctionAttribute : Attribute
    {
        /// <summary>With the name that plug-ins import it by.</summary>
        public HostFunctionAttribute(string name) => Name = name;

        /// <summary>The name that plug-ins import it by.</summary>
        public string Name { get; }

        /// <summary>The namespace that plug-ins import it from.</summary>
        public string Namespace { get; set; } = HostFunction.DefaultNamespace;
    }
}
