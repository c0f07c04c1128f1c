#include "case.h"

#include "http_server.h"

/* Modules that a manifest names by URL. */

static void module_by_url(void)
{
    unsigned port = http_server_start();
    ExtismPlugin *p;

    write_text("m.wat", "(module (func (export 'run') (result i32) (i32.const 9)))");
    p = plugin_open(quoted_format("{'wasm':[{'url':'http://127.0.0.1:%u/file/m.wat'}]}", port));
    observe_call(p, "call", "run", "");
    extism.plugin_free(p);
    p = plugin_open(quoted_format("{'wasm':[{'url':'http://127.0.0.1:%u/file/m.wat',"
                                  "'method':'post','headers':{'X-Sent':'1'},'name':'main'}],"
                                  "'allowed_hosts':[]}",
                                  port));
    observe_call(p, "with a method", "run", "");
    extism.plugin_free(p);
}

static void module_by_a_bad_url(void)
{
    unsigned port = http_server_start();

    observe_open("404", quoted_format("{'wasm':[{'url':'http://127.0.0.1:%u/none'}]}", port));
    observe_open("500", quoted_format("{'wasm':[{'url':'http://127.0.0.1:%u/status/500'}]}", port));
    observe_open("no module",
                 quoted_format("{'wasm':[{'url':'http://127.0.0.1:%u/hello'}]}", port));
    observe_open("closed", quoted_format("{'wasm':[{'url':'http://127.0.0.1:%u/close'}]}", port));
    observe_open("refused", "{'wasm':[{'url':'http://127.0.0.1:1/'}]}");
    observe_open("no url", "{'wasm':[{'url':'hello'}]}");
    observe_open("empty", "{'wasm':[{'url':''}]}");
    observe_open("hash", quoted_format("{'wasm':[{'url':'http://127.0.0.1:%u/hello',"
                                       "'hash':'00'}]}",
                                       port));
    observe_open("number", "{'wasm':[{'url':1}]}");
    observe_open("redirect",
                 quoted_format("{'wasm':[{'url':'http://127.0.0.1:%u/redirect/2'}]}", port));
}

static void module_by_a_file_url(void)
{
    write_file("m.wasm", "\0asm\1\0\0\0", 8);
    observe_open("file", quoted_format("{'wasm':[{'url':'file:///etc/hostname'}]}"));
}

static const test_case cases[] = {
    {"module_by_url", module_by_url},
    {"module_by_a_bad_url", module_by_a_bad_url},
    {"module_by_a_file_url", module_by_a_file_url},
    {NULL, NULL},
};

const case_group http_module_cases = {"http_module", cases, false};
