#include "case.h"

#include <sys/stat.h>

/* The manifest's fields, good and bad, in JSON and in TOML. */

static void small_module(void)
{
    write_text("m.wat", "(module (func (export 'run') (result i32) (i32.const 3)))");
}

static void opens(const char *label, const char *manifest)
{
    observe_open(label, manifest);
}

static void nothing_to_run(void)
{
    opens("empty object", "{}");
    opens("empty list", "{'wasm':[]}");
    opens("no wasm", "{'config':{'a':'b'}}");
    opens("null", "{'wasm':null}");
    opens("object", "{'wasm':{}}");
    opens("text", "{'wasm':'m.wat'}");
    opens("list of text", "{'wasm':['m.wat']}");
    opens("list of objects of nothing", "{'wasm':[{}]}");
    opens("name alone", "{'wasm':[{'name':'main'}]}");
}

static void unknown_keys(void)
{
    small_module();
    opens("at the top", "{'wasm':[{'path':'m.wat'}],'extra':1}");
    opens("case", "{'Wasm':[{'path':'m.wat'}]}");
    opens("in wasm", "{'wasm':[{'path':'m.wat','extra':1}]}");
    opens("in memory", "{'wasm':[{'path':'m.wat'}],'memory':{'extra':1}}");
    opens("path and data", "{'wasm':[{'path':'m.wat','data':'AGFzbQEAAAA='}]}");
    opens("path and url", "{'wasm':[{'path':'m.wat','url':'http://127.0.0.1:1/'}]}");
    opens("data and method", "{'wasm':[{'data':'AGFzbQEAAAA=','method':'GET'}]}");
    opens("path and headers", "{'wasm':[{'path':'m.wat','headers':{}}]}");
}

static void doubled_keys(void)
{
    small_module();
    opens("wasm", "{'wasm':[{'path':'m.wat'}],'wasm':[{'path':'m.wat'}]}");
    opens("timeout_ms", "{'wasm':[{'path':'m.wat'}],'timeout_ms':1,'timeout_ms':2}");
    opens("path", "{'wasm':[{'path':'m.wat','path':'m.wat'}]}");
    opens("config key", "{'wasm':[{'path':'m.wat'}],'config':{'a':'1','a':'2'}}");
}

static void paths(void)
{
    small_module();
    mkdir("dir", 0755);
    write_file("dir/m.wat", "(module)", 8);
    opens("relative", "{'wasm':[{'path':'m.wat'}]}");
    opens("dot", "{'wasm':[{'path':'./m.wat'}]}");
    opens("below", "{'wasm':[{'path':'dir/m.wat'}]}");
    opens("back", "{'wasm':[{'path':'dir/../m.wat'}]}");
    opens("missing", "{'wasm':[{'path':'none.wasm'}]}");
    opens("missing, absolute", "{'wasm':[{'path':'/nonexistent/none.wasm'}]}");
    opens("directory", "{'wasm':[{'path':'dir'}]}");
    opens("file as a directory", "{'wasm':[{'path':'m.wat/x'}]}");
    opens("empty", "{'wasm':[{'path':''}]}");
    opens("number", "{'wasm':[{'path':7}]}");
    opens("null", "{'wasm':[{'path':null}]}");
    opens("null name and hash", "{'wasm':[{'path':'m.wat','name':null,'hash':null}]}");
    opens("name is a number", "{'wasm':[{'path':'m.wat','name':1}]}");
}

static void path_with_a_nul(void)
{
    small_module();
    opens("path", "{'wasm':[{'path':'m.wat\\u0000x'}]}");
}

static void data(void)
{
    opens("module", "{'wasm':[{'data':'AGFzbQEAAAA='}]}");
    opens("text", "{'wasm':[{'data':'KG1vZHVsZSk='}]}");
    opens("no padding", "{'wasm':[{'data':'AGFzbQEAAAA'}]}");
    opens("url alphabet", "{'wasm':[{'data':'_-__'}]}");
    opens("standard alphabet", "{'wasm':[{'data':'/+//'}]}");
    opens("not base64", "{'wasm':[{'data':'!!!!'}]}");
    opens("space", "{'wasm':[{'data':'AGFz bQEAAAA='}]}");
    opens("line break", "{'wasm':[{'data':'AGFz\\nbQEAAAA='}]}");
    opens("loose bits", "{'wasm':[{'data':'AGFzbQEAAAB='}]}");
    opens("too much padding", "{'wasm':[{'data':'AGFzbQEAAA=='}]}");
    opens("empty", "{'wasm':[{'data':''}]}");
    opens("number", "{'wasm':[{'data':1}]}");
    opens("list", "{'wasm':[{'data':[0,97,115,109]}]}");
    opens("null", "{'wasm':[{'data':null}]}");
}

/* Upstream takes a module by its address, for hosts in the same process. */
static void data_by_address(void)
{
    static const char module[] = "(module (func (export 'run') (result i32) (i32.const 8)))";
    char *text = quoted(module);
    char *manifest = quoted_format("{'wasm':[{'data':{'ptr':%llu,'len':%zu}}]}",
                                   (unsigned long long)(uintptr_t)text, strlen(text));
    ExtismPlugin *p = plugin_open(manifest);

    observe_call(p, "call", "run", "");
    extism.plugin_free(p);
    opens("nothing", "{'wasm':[{'data':{'ptr':0,'len':0}}]}");
    opens("no len", "{'wasm':[{'data':{'ptr':0}}]}");
    opens("negative", "{'wasm':[{'data':{'ptr':-1,'len':1}}]}");
    opens("extra", "{'wasm':[{'data':{'ptr':0,'len':0,'x':1}}]}");
}

static void data_at_null(void)
{
    opens("something", "{'wasm':[{'data':{'ptr':0,'len':8}}]}");
}

static void hashes(void)
{
    /* sha256 of the eight bytes of an empty module */
    static const char hash[] = "93a44bbb96c751218e4c00d479e4c14358122a389acca16205b1e4d0dc5f9476";

    opens("right", quoted_format("{'wasm':[{'data':'AGFzbQEAAAA=','hash':'%s'}]}", hash));
    opens("wrong", quoted_format("{'wasm':[{'data':'AGFzbQEAAAA=','hash':'0%s'}]}", hash + 1));
    opens("upper case", "{'wasm':[{'data':'AGFzbQEAAAA=','hash':"
                        "'93A44BBB96C751218E4C00D479E4C14358122A389ACCA16205B1E4D0DC5F9476'}]}");
    opens("short", "{'wasm':[{'data':'AGFzbQEAAAA=','hash':'93a4'}]}");
    opens("empty", "{'wasm':[{'data':'AGFzbQEAAAA=','hash':''}]}");
    opens("number", "{'wasm':[{'data':'AGFzbQEAAAA=','hash':1}]}");
    write_file("m.wasm", "\0asm\1\0\0\0", 8);
    opens("file, right", quoted_format("{'wasm':[{'path':'m.wasm','hash':'%s'}]}", hash));
    opens("file, wrong", quoted_format("{'wasm':[{'path':'m.wasm','hash':'0%s'}]}", hash + 1));
    opens("before the module is looked at", "{'wasm':[{'data':'AAAA','hash':'x'}]}");
}

static void memory(void)
{
    small_module();
#define MEMORY(m) "{'wasm':[{'path':'m.wat'}],'memory':" m "}"
    opens("empty", MEMORY("{}"));
    opens("null", MEMORY("null"));
    opens("nulls", MEMORY("{'max_pages':null,'max_http_response_bytes':null,"
                          "'max_var_bytes':null}"));
    opens("all", MEMORY("{'max_pages':1000,'max_http_response_bytes':1,'max_var_bytes':1}"));
    opens("negative", MEMORY("{'max_pages':-1}"));
    opens("fraction", MEMORY("{'max_pages':1.5}"));
    opens("whole fraction", MEMORY("{'max_pages':1000.0}"));
    opens("text", MEMORY("{'max_pages':'10'}"));
    opens("largest u32", MEMORY("{'max_pages':4294967295}"));
    opens("past u32", MEMORY("{'max_pages':4294967296}"));
    opens("largest u64", MEMORY("{'max_var_bytes':18446744073709551615}"));
    opens("past u64", MEMORY("{'max_var_bytes':18446744073709551616}"));
    opens("list", MEMORY("[1000]"));
}

static void other_types(void)
{
    small_module();
#define FIELD(f) "{'wasm':[{'path':'m.wat'}]," f "}"
    opens("config list", FIELD("'config':[]"));
    opens("config null", FIELD("'config':null"));
    opens("config number", FIELD("'config':{'a':1}"));
    opens("config null value", FIELD("'config':{'a':null}"));
    opens("hosts null", FIELD("'allowed_hosts':null"));
    opens("hosts empty", FIELD("'allowed_hosts':[]"));
    opens("hosts text", FIELD("'allowed_hosts':'*'"));
    opens("hosts number", FIELD("'allowed_hosts':[1]"));
    opens("paths null", FIELD("'allowed_paths':null"));
    opens("paths list", FIELD("'allowed_paths':['/tmp']"));
    opens("paths number", FIELD("'allowed_paths':{'/tmp':1}"));
    opens("timeout null", FIELD("'timeout_ms':null"));
    opens("timeout text", FIELD("'timeout_ms':'1'"));
    opens("timeout negative", FIELD("'timeout_ms':-1"));
    opens("timeout fraction", FIELD("'timeout_ms':0.5"));
    opens("timeout huge", FIELD("'timeout_ms':18446744073709551615"));
}

static void toml(void)
{
    ExtismPlugin *p;

    small_module();
    write_text("c.wat", guest("(func (export 'run') (local $h i64)"
                              "  (local.set $h (call $config_get (call $input_offset)))"
                              "  (call $output_set (local.get $h)"
                              "    (call $length (local.get $h))))"));
    p = plugin_open("timeout_ms = 5000\nallowed_hosts = ['*.example.com']\n"
                    "[[wasm]]\npath = 'c.wat'\n"
                    "[memory]\nmax_pages = 100\n[config]\nkey = 'from toml'\n");
    observe_call(p, "call", "run", "key");
    extism.plugin_free(p);
    opens("inline", "wasm = [{path = 'm.wat'}]");
    opens("unknown key", "wasm = [{path = 'm.wat'}]\nextra = 1\n");
    opens("wrong type", "wasm = [{path = 'm.wat'}]\ntimeout_ms = 'soon'\n");
    opens("negative", "wasm = [{path = 'm.wat'}]\ntimeout_ms = -1\n");
    opens("date", "wasm = [{path = 'm.wat'}]\nconfig = {a = 1979-05-27}\n");
    opens("nothing to run", "timeout_ms = 1\n");
    opens("comment alone", "# nothing\n");
    opens("doubled", "timeout_ms = 1\ntimeout_ms = 1\nwasm = [{path = 'm.wat'}]\n");
    opens("data", "wasm = [{data = 'AGFzbQEAAAA='}]");
}

static void white_space(void)
{
    small_module();
    opens("around", " \n\t\r{'wasm' : [ { 'path' : 'm.wat' } ] } \n\n");
    opens("escapes", "{'\\u0077asm':[{'path':'\\u006d.wat'}]}");
}

static void large_manifest(void)
{
    static char manifest[700000];
    size_t n = 0;
    ExtismPlugin *p;

    small_module();
    n += (size_t)sprintf(manifest, "{'wasm':[{'path':'m.wat'}],'config':{");
    for (int i = 0; i < 20000; i++)
        n += (size_t)sprintf(manifest + n, "%s'key%d':'value %d'", i == 0 ? "" : ",", i, i);
    sprintf(manifest + n, "}}");
    p = plugin_open(manifest);
    observe_call(p, "call", "run", "");
    extism.plugin_free(p);
}

static const test_case cases[] = {
    {"nothing_to_run", nothing_to_run},
    {"unknown_keys", unknown_keys},
    {"doubled_keys", doubled_keys},
    {"paths", paths},
    {"path_with_a_nul", path_with_a_nul},
    {"data", data},
    {"data_by_address", data_by_address},
    {"data_at_null", data_at_null},
    {"hashes", hashes},
    {"memory", memory},
    {"other_types", other_types},
    {"toml", toml},
    {"white_space", white_space},
    {"large_manifest", large_manifest},
    {NULL, NULL},
};

const case_group manifest_cases = {"manifest", cases, false};
