using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading.Tasks;
using Ubiquitous.Extism;

namespace Shop
{
    /// <summary>A shop whose discounts are plug-ins: each *.wasm of a directory says for an order how many
    /// percent it takes off.</summary>
    public static class Program
    {
        private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

        public static async Task Main(string[] arguments)
        {
            IReadOnlyList<HostFunction> functions = HostFunction.FromMethods(new ShopData());
            Dictionary<string, CompiledPlugin> discounts = Directory.GetFiles(arguments[0], "*.wasm")
                .OrderBy(path => path)
                .ToDictionary(path => Path.GetFileNameWithoutExtension(path),
                              path => new CompiledPlugin(Manifest.FromFile(path), functions));

            var orders = new[] { new Order("Ada", "tea"), new Order("Grace", "teapot"), new Order("Eve", "tea") };
            foreach (Order order in orders)
            {
                Console.WriteLine($"{order.Customer} orders {order.Product}");
                // All of them at once, each in an instance of its own that nothing stays in.
                string[] lines = await Task.WhenAll(discounts.Select(d => Ask(d.Key, d.Value, order)));
                foreach (string line in lines.Concat(order.Notes.Select(note => $"note: {note}")))
                    Console.WriteLine($"  {line}");
            }
        }

        private static async Task<string> Ask(string name, CompiledPlugin discount, Order order)
        {
            try
            {
                string input = $"{order.Customer}\n{order.Product}";
                string percent = await discount.CallAsync("discount", input, order, Patience);
                return $"{name}: {percent} %";
            }
            catch (HostFunctionException e)
            {
                return $"{name}: {e.Function} threw {e.InnerException!.GetType().Name}";
            }
            catch (ExtismException e)
            {
                return $"{name}: {e.Message}";
            }
        }
    }
}
