using System.Collections.Generic;
using System.Threading.Tasks;
using Ubiquitous.Extism;

namespace Shop
{
    /// <summary>An order, which plug-ins can write notes on.</summary>
    public sealed class Order
    {
        public Order(string customer, string product)
        {
            Customer = customer;
            Product = product;
        }

        public string Customer { get; }

        public string Product { get; }

        public List<string> Notes { get; } = new List<string>();
    }

    /// <summary>The shop's own data, and what of it plug-ins may ask for.</summary>
    public sealed class ShopData
    {
        private readonly Dictionary<string, long> stock = new Dictionary<string, long>
        {
            ["tea"] = 900,
            ["teapot"] = 4,
        };

        private readonly Dictionary<string, long> points = new Dictionary<string, long>
        {
            ["Ada"] = 250,
            ["Grace"] = 20,
        };

        [HostFunction("stock")]
        private long Stock(string product) => stock[product];

        /// <summary>From a database, say: the plug-in waits, and no thread does.</summary>
        [HostFunction("points")]
        private async Task<long> Points(string customer)
        {
            await Task.Delay(1);
            return points[customer];
        }

        [HostFunction("note")]
        private void Note(string text, CurrentPlugin plugin) => ((Order)plugin.HostContext!).Notes.Add(text);
    }
}
