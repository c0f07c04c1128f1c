import com.google.gson.Gson;
import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.extism.sdk.Extism;
import org.extism.sdk.ExtismFunction;
import org.extism.sdk.HostFunction;
import org.extism.sdk.HostUserData;
import org.extism.sdk.LibExtism;
import org.extism.sdk.LibExtism.ExtismValType;
import org.extism.sdk.Plugin;
import org.extism.sdk.manifest.Manifest;
import org.extism.sdk.manifest.MemoryOptions;
import org.extism.sdk.wasm.WasmSource;
import org.extism.sdk.wasm.WasmSourceResolver;

/**
 * Uses upstream's Java SDK on the library that it finds, and prints what came of it: a line each, a name and
 * what was seen, as JSON. It judges nothing: compare.py runs it on two libraries.
 *
 * Arguments: the guest's file, then the directory of the tests' plug-ins.
 */
class Observe {
    static final Gson GSON = new Gson();
    static byte[] guest;
    static String plugins;

    /** Without what is different each time: times, ids, where code lies. */
    static String plain(String seen) {
        return seen.replaceAll("0x[0-9a-f]+", "0x")
            .replaceAll("\\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\\b", "ID")
            .replaceAll("\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z", "TIME")
            .replaceAll(" {4,}0x - ", " - ");
    }

    static void see(String name, Callable<Object> action) {
        Object seen;
        try {
            seen = action.call();
        } catch (Exception e) {
            seen = e.getClass().getSimpleName() + ": " + e.getMessage();
        }
        System.out.println(GSON.toJson(List.of(name, plain(String.valueOf(seen)))));
    }

    static final ExtismValType[] I64 = {ExtismValType.I64};
    static final ExtismValType[] NONE = {};

    static HostFunction<?> function(String name, ExtismValType[] in, ExtismValType[] out, ExtismFunction<?> f) {
        return new HostFunction<>(name, in, out, f, Optional.empty());
    }

    static HostFunction<?>[] functions(ExtismFunction<?> text) {
        ExtismValType[] all = {ExtismValType.I32, ExtismValType.I64, ExtismValType.F32, ExtismValType.F64};
        ExtismValType[] two = {ExtismValType.I64, ExtismValType.I64};
        return new HostFunction<?>[] {
            function("text", I64, I64, text),
            function("numbers", all, I64, (plugin, in, out, data) -> {
                out[0].v.i64 = (long) (in[0].v.i32 + in[1].v.i64 + 10 * in[2].v.f32 + 100 * in[3].v.f64);
            }),
            function("pair", I64, two, (plugin, in, out, data) -> {
                out[0].v.i64 = plugin.inputBytes(in[0]).length;
                out[1].v.i64 = 5;
            }),
            function("nothing", NONE, NONE, (plugin, in, out, data) -> { }).withNamespace("own"),
        };
    }

    static HostFunction<?>[] functions() {
        return functions((plugin, in, out, data) ->
            plugin.returnString(out[0], plugin.inputString(in[0]).toUpperCase()));
    }

    static Plugin make() {
        return new Plugin(guest, false, functions());
    }

    static String number(Plugin plugin, String function, String input) {
        byte[] bytes = plugin.call(function, input.getBytes(StandardCharsets.UTF_8));
        long n = 0;
        for (int i = bytes.length - 1; i >= 0; i--)
            n = n << 8 | (bytes[i] & 0xff);
        return String.valueOf(n);
    }

    static void calls() {
        Plugin p = make();
        for (String text : List.of("", "text", "ünï", "x".repeat(70_000)))
            see("echo of " + text.length(), () -> p.call("echo", text));
        byte[] bytes = new byte[3_000_000];
        for (int i = 0; i < bytes.length; i++)
            bytes[i] = (byte) (i * 7);
        see("echo of bytes", () -> Arrays.equals(bytes, p.call("echo", bytes)));
        see("echo of nothing", () -> p.call("echo", (byte[]) null).length);
        for (int i = 0; i < 3; i++)
            see("count", () -> number(p, "count", ""));
        for (String name : List.of("trap", "code", "nothing at all", "parameters", "", "memory"))
            see("call of " + name, () -> p.call(name, "x"));
        for (String words : List.of("a reason", "ein Grund für nichts", ""))
            see("error of " + words.length(), () -> p.call("fail", words));
        see("still counts", () -> number(p, "count", ""));
        p.close();
        see("version", () -> LibExtism.INSTANCE.extism_version());
    }

    static void makings() {
        for (String wasm : List.of("", "\0asm", "(module (broken))", "{}", "{\"wasm\": []}",
                                   "{\"wasm\": [{\"path\": \"/no/such/file.wasm\"}]}"))
            see("plug-in of " + wasm.strip(), () -> {
                new Plugin(wasm.getBytes(StandardCharsets.UTF_8), false, null).close();
                return "made";
            });
        see("without its functions", () -> new Plugin(guest, false, null));
        see("with fuel", () -> {
            Plugin p = new Plugin(guest, false, functions(), 100_000);
            return p.call("echo", "x") + p.call("spin", "");
        });
    }

    static Manifest manifest(MemoryOptions memory, Map<String, String> config) {
        WasmSource source = new WasmSourceResolver().resolve("main", guest);
        return new Manifest(List.of(source), memory, config);
    }

    static void settings() throws Exception {
        Map<String, String> config = new HashMap<>(Map.of("a", "manifest", "ü", "ö"));
        try (Plugin p = new Plugin(manifest(null, config), false, functions())) {
            for (String key : List.of("a", "b", "ü"))
                see("config " + key, () -> p.call("config", key));
            see("update", () -> p.updateConfig("{\"a\": null, \"b\": \"new\"}"));
            see("bad update", () -> p.updateConfig("no json"));
            for (String key : List.of("a", "b", "ü"))
                see("config " + key, () -> p.call("config", key));
        }
        try (Plugin p = make()) {
            see("variable", () -> p.call("get var", ""));
            see("variable", () -> p.call("set var", "value"));
            see("variable", () -> p.call("get var", ""));
        }
        try (Plugin p = new Plugin(manifest(new MemoryOptions(20, 0), null), false, functions())) {
            see("too many pages", () -> p.call("grow", ""));
        }
        Path file = Files.createTempFile("guest", ".wat");
        Files.write(file, guest);
        Manifest byPath = new Manifest(new WasmSourceResolver().resolve(file));
        see("from a file", () -> {
            try (Plugin p = new Plugin(byPath, false, functions())) {
                return p.call("echo", "x");
            }
        });
        Files.delete(file);
    }

    /** User data has to be what JNA can pass on. */
    static class Data extends HostUserData {
        Data() {
            setPointer(new Memory(8));
        }
    }

    static void hostFunctions() {
        try (Plugin p = make()) {
            see("text", () -> p.call("text", "quiet"));
            see("numbers", () -> number(p, "numbers", ""));
            see("pair", () -> number(p, "pair", "four"));
            see("own namespace", () -> p.call("nothing", "").length());
        }
        ExtismFunction<?> memory = (plugin, in, out, data) -> {
            int block = plugin.alloc(10);
            Pointer at = plugin.memory();
            at.write(block, "0123456789".getBytes(), 0, 10);
            String found = plugin.memoryLength(block) + " " + new String(at.getByteArray(block, 10));
            plugin.free(block);
            plugin.returnString(out[0], found + " " + plugin.memoryLength(block));
        };
        try (Plugin p = new Plugin(guest, false, functions(memory))) {
            see("memory", () -> p.call("text", "x"));
        }
        HostFunction<?>[] with = functions();
        with[0] = new HostFunction<Data>("text", I64, I64, (plugin, in, out, data) ->
            plugin.returnString(out[0], data.isPresent() ? "present" : "absent"), Optional.of(new Data()));
        try (Plugin p = new Plugin(guest, false, with)) {
            see("user data", () -> p.call("text", "x"));
        }
    }

    static void interruptions() throws Exception {
        byte[] json = ("{\"wasm\": [{\"data\": \"" + java.util.Base64.getEncoder().encodeToString(guest)
                       + "\"}], \"timeout_ms\": 100}").getBytes(StandardCharsets.UTF_8);
        try (Plugin p = new Plugin(json, false, functions())) {
            see("timeout", () -> p.call("spin", ""));
            see("after the timeout", () -> number(p, "count", ""));
        }
        Plugin p = make();
        Pointer handle = LibExtism.INSTANCE.extism_plugin_cancel_handle(pointerOf(p));
        Thread canceller = new Thread(() -> {
            try {
                Thread.sleep(100);
            } catch (InterruptedException e) {
                throw new RuntimeException(e);
            }
            LibExtism.INSTANCE.extism_plugin_cancel(handle);
        });
        canceller.start();
        see("cancel", () -> p.call("spin", ""));
        canceller.join();
        see("after the cancel", () -> number(p, "count", ""));
    }

    /** The SDK's own cancel is not public. */
    static Pointer pointerOf(Plugin p) throws Exception {
        var field = Plugin.class.getDeclaredField("pluginPointer");
        field.setAccessible(true);
        return (Pointer) field.get(p);
    }

    static void languages() {
        for (String name : List.of("c_services", "rust_plugin")) {
            Path file = Path.of(plugins, name + ".wasm");
            if (!Files.exists(file))
                continue;
            HostFunction<?> shout = function("shout", I64, I64, (plugin, in, out, data) ->
                plugin.returnString(out[0], plugin.inputString(in[0]).toUpperCase()));
            Manifest manifest = new Manifest(new WasmSourceResolver().resolve(file));
            try (Plugin p = new Plugin(manifest, true, new HostFunction<?>[] {shout})) {
                see(name, () -> p.call(name.startsWith("c_") ? "shout" : "call_host", "text"));
                see(name, () -> p.call("echo", "text"));
                see(name, () -> p.call("fail", "text"));
            }
        }
    }

    @SuppressWarnings("removal")
    static void log() throws Exception {
        Path file = Files.createTempFile("extism", ".log");
        see("log", () -> {
            Extism.setLogFile(file, Extism.LogLevel.INFO);
            try (Plugin p = make()) {
                p.call("log", "a line");
            }
            return Files.readString(file);
        });
        Files.delete(file);
    }

    public static void main(String[] arguments) throws Exception {
        guest = Files.readAllBytes(Path.of(arguments[0]));
        plugins = arguments[1];
        calls();
        makings();
        settings();
        hostFunctions();
        interruptions();
        languages();
        log();
    }
}
