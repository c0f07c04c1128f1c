using System;
using System.Collections.Generic;
using System.Net.Http;
using System.Threading;
using System.Threading.Tasks;
using Ubiquitous.Extism;

namespace Ubiquitous
{
    /// <summary>Has a project answer the requests of a <see cref="HttpClient"/>.</summary>
    internal sealed class UbiqHandler : HttpMessageHandler
    {
        private readonly UbiqProject project;

        internal UbiqHandler(UbiqProject project) => this.project = project;

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request,
                                                                     CancellationToken cancellationToken)
        {
            byte[] body = request.Content is null
                              ? Array.Empty<byte>()
                              : await request.Content.ReadAsByteArrayAsync().ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            HttpResponseMessage response =
                await project.Send(Bytes(request.Method.Method), Bytes(request.RequestUri.PathAndQuery),
                                   Headers(request), body, cancellationToken).ConfigureAwait(false);
            response.RequestMessage = request;
            return response;
        }

        /// <summary>Names and values in turn.</summary>
        private static byte[][] Headers(HttpRequestMessage request)
        {
            var flat = new List<byte[]> { Bytes("Host"), Bytes(request.Headers.Host ?? request.RequestUri.Authority) };

            Add(flat, request.Headers);
            if (request.Content != null)
                Add(flat, request.Content.Headers);
            return flat.ToArray();
        }

        private static void Add(List<byte[]> flat, IEnumerable<KeyValuePair<string, IEnumerable<string>>> headers)
        {
            foreach (KeyValuePair<string, IEnumerable<string>> header in headers)
            {
                if (header.Key == "Host")
                    continue;
                flat.Add(Bytes(header.Key));
                flat.Add(Bytes(string.Join(Separator(header.Key), header.Value)));
            }
        }

        private static string Separator(string header) =>
            header == "User-Agent" ? " " : header == "Cookie" ? "; " : ", ";

        private static byte[] Bytes(string text) => Utf8.WithNul(text, nameof(text));
    }
}
