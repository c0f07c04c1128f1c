using System;
using System.Net.Http;
using System.Threading.Tasks;
using Ubiquitous;

/// <summary>Calls the function of a project by its name, and with a request.</summary>
internal static class Program
{
    private static async Task Main(string[] arguments)
    {
        using var project = new UbiqProject(arguments.Length > 0 ? arguments[0] : "greeter");
        Console.WriteLine(await project.InvokeAsync("greet", "Ada", TimeSpan.FromSeconds(10)));

        using HttpClient client = project.CreateClient();
        HttpResponseMessage answer = await client.PostAsync("/greet", new StringContent("Bob"));
        Console.WriteLine($"{(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}");
    }
}
