#include "case.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* allowed_paths, seen through wasi-libc in a guest from C. The host's side is in the case's own
 * directory: `data` may be written, `fixed` is given with "ro:", `outside` is not given. */

static void make_files(void)
{
    if (mkdir("data", 0755) != 0)
        return; /* made before */
    mkdir("data/sub", 0755);
    mkdir("fixed", 0755);
    mkdir("outside", 0755);
    write_file("data/a.txt", "text of a", 9);
    write_file("data/sub/b.txt", "text of b", 9);
    write_file("fixed/f.txt", "text of f", 9);
    write_file("outside/secret.txt", "secret", 6);
    if (symlink("a.txt", "data/inner") != 0 || symlink("../outside/secret.txt", "data/out") != 0 ||
        symlink("/etc/passwd", "data/absolute") != 0 || symlink("loop", "data/loop") != 0)
        abort();
}

static ExtismPlugin *open_files(const char *paths)
{
    size_t len;
    char *wasm = built_plugin("c_files", &len);
    char *manifest;

    if (wasm == NULL)
        return NULL;
    write_file("files.wasm", wasm, len);
    make_files();
    manifest = quoted_format("{'wasm':[{'path':'files.wasm'}]%s}", paths);
    return plugin_open_with("new", manifest, strlen(manifest), NULL, 0, true);
}

#define BOTH ",'allowed_paths':{'data':'/data','ro:fixed':'/fixed'}"

static void reads(void)
{
    ExtismPlugin *p = open_files(BOTH);

    observe_call(p, "file", "read", "/data/a.txt");
    observe_call(p, "below", "read", "/data/sub/b.txt");
    observe_call(p, "dots", "read", "/data/sub/../a.txt");
    observe_call(p, "missing", "read", "/data/none.txt");
    observe_call(p, "directory", "stat", "/data/sub");
    observe_call(p, "size", "stat", "/data/a.txt");
    observe_call(p, "list", "list", "/data");
    observe_call(p, "list below", "list", "/data/sub");
    observe_call(p, "fixed", "read", "/fixed/f.txt");
    observe_call(p, "list fixed", "list", "/fixed");
    observe_call(p, "size of fixed", "stat", "/fixed/f.txt");
    extism.plugin_free(p);
}

static void writes(void)
{
    ExtismPlugin *p = open_files(BOTH);

    observe_call(p, "new", "write", "/data/new.txt hello");
    observe_text("new on the host", read_file("data/new.txt", NULL));
    observe_call(p, "append", "append", "/data/new.txt +more");
    observe_text("appended", read_file("data/new.txt", NULL));
    observe_call(p, "over", "write", "/data/a.txt short");
    observe_text("written over", read_file("data/a.txt", NULL));
    observe_call(p, "truncate", "truncate", "/data/a.txt");
    observe_text("truncated", read_file("data/a.txt", NULL));
    observe_call(p, "mkdir", "mkdir", "/data/made");
    observe_call(p, "mkdir again", "mkdir", "/data/made");
    observe_call(p, "rename", "rename", "/data/new.txt /data/made/moved.txt");
    observe_text("moved", read_file("data/made/moved.txt", NULL));
    observe_call(p, "rmdir, not empty", "rmdir", "/data/made");
    observe_call(p, "unlink", "unlink", "/data/made/moved.txt");
    observe_call(p, "rmdir", "rmdir", "/data/made");
    observe_call(p, "unlink, missing", "unlink", "/data/none");
    observe_call(p, "link", "link", "/data/a.txt /data/hard");
    observe_call(p, "symlink", "symlink", "a.txt /data/soft");
    observe_call(p, "readlink", "readlink", "/data/soft");
    observe_call(p, "through it", "read", "/data/soft");
    extism.plugin_free(p);
}

static void read_only(void)
{
    ExtismPlugin *p = open_files(BOTH);

    observe_call(p, "new", "write", "/fixed/new.txt hello");
    observe_call(p, "over", "write", "/fixed/f.txt hello");
    observe_call(p, "append", "append", "/fixed/f.txt hello");
    observe_call(p, "truncate", "truncate", "/fixed/f.txt");
    observe_call(p, "mkdir", "mkdir", "/fixed/made");
    observe_call(p, "unlink", "unlink", "/fixed/f.txt");
    observe_call(p, "symlink", "symlink", "f.txt /fixed/soft");
    observe_bool("nothing new", access("fixed/new.txt", F_OK) != 0);
    observe_text("whole", read_file("fixed/f.txt", NULL));
    extism.plugin_free(p);
}

static void read_only_rename(void)
{
    ExtismPlugin *p = open_files(BOTH);

    observe_call(p, "within", "rename", "/fixed/f.txt /fixed/g.txt");
    observe_text("whole", read_file("fixed/f.txt", NULL));
    extism.plugin_free(p);
}

static void read_only_rename_out(void)
{
    ExtismPlugin *p = open_files(BOTH);

    observe_call(p, "out", "rename", "/fixed/f.txt /data/taken");
    observe_text("whole", read_file("fixed/f.txt", NULL));
    extism.plugin_free(p);
}

static void read_only_rename_in(void)
{
    ExtismPlugin *p = open_files(BOTH);

    observe_call(p, "in", "rename", "/data/a.txt /fixed/f.txt");
    observe_text("whole", read_file("fixed/f.txt", NULL));
    extism.plugin_free(p);
}

static void read_only_link_in(void)
{
    ExtismPlugin *p = open_files(BOTH);

    observe_call(p, "in", "link", "/data/a.txt /fixed/h.txt");
    observe_bool("nothing new", access("fixed/h.txt", F_OK) != 0);
    extism.plugin_free(p);
}

static void read_only_link_out(void)
{
    ExtismPlugin *p = open_files(BOTH);

    observe_call(p, "link", "link", "/fixed/f.txt /data/h.txt");
    observe_int("write",
                extism.plugin_call(p, "write", (const uint8_t *)"/data/h.txt changed", 19));
    observe_text("whole", read_file("fixed/f.txt", NULL));
    extism.plugin_free(p);
}

/* Nothing leads out of what was given. */
static void escapes(void)
{
    static const char *const paths[] = {
        "/data/../outside/secret.txt",
        "/data/sub/../../outside/secret.txt",
        "/outside/secret.txt",
        "/etc/passwd",
        "/data/out",
        "/data/absolute",
        "/data/loop",
        "outside/secret.txt",
        "../outside/secret.txt",
        "/",
        "",
        "/data/../../../../../../etc/passwd",
    };
    ExtismPlugin *p = open_files(BOTH);

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        observe_call(p, paths[i], "read", paths[i]);
    observe_call(p, "write", "write", "/data/../outside/new.txt hello");
    observe_call(p, "write through a link", "write", "/data/out changed");
    observe_call(p, "rename", "rename", "/data/a.txt /data/../outside/a.txt");
    observe_call(p, "make a link out", "symlink", "../outside/secret.txt /data/made");
    observe_call(p, "and read it", "read", "/data/made");
    observe_call(p, "make an absolute link", "symlink", "/etc/passwd /data/made2");
    observe_call(p, "and read it", "read", "/data/made2");
    observe_text("secret", read_file("outside/secret.txt", NULL));
    observe_bool("nothing new", access("outside/new.txt", F_OK) != 0);
    extism.plugin_free(p);
}

static void nothing_given(void)
{
    ExtismPlugin *p = open_files("");

    observe_call(p, "read", "read", "/data/a.txt");
    observe_call(p, "root", "list", "/");
    observe_call(p, "cwd", "cwd", "");
    extism.plugin_free(p);
}

static void missing_directory(void)
{
    open_files(",'allowed_paths':{'none':'/data'}");
    open_files(",'allowed_paths':{'ro:none':'/data'}");
    open_files(",'allowed_paths':{'/nonexistent/dir':'/data'}");
}

static void file_as_a_directory(void)
{
    open_files(",'allowed_paths':{'data/a.txt':'/data'}");
    open_files(",'allowed_paths':{'':'/data'}");
    open_files(",'allowed_paths':{'ro:':'/data'}");
}

static void names_in_the_guest(void)
{
    static const char *const guests[] = {"/", ".", "data", "/a/b/c", "./data", "/data/", ""};
    static const char *const files[] = {"/a.txt",       "./a.txt",     "data/a.txt", "/a/b/c/a.txt",
                                        "./data/a.txt", "/data/a.txt", "a.txt"};

    for (size_t i = 0; i < sizeof guests / sizeof *guests; i++) {
        ExtismPlugin *p = open_files(quoted_format(",'allowed_paths':{'data':'%s'}", guests[i]));

        observe_call(p, guests[i], "read", files[i]);
        extism.plugin_free(p);
    }
}

static void two_names_for_one(void)
{
    ExtismPlugin *p = open_files(",'allowed_paths':{'data':'/rw','ro:data':'/ro'}");

    observe_call(p, "write", "write", "/rw/n.txt x");
    observe_call(p, "read", "read", "/ro/n.txt");
    observe_call(p, "write ro", "write", "/ro/n.txt y");
    extism.plugin_free(p);
}

static void one_name_for_two(void)
{
    ExtismPlugin *p = open_files(",'allowed_paths':{'data':'/d','outside':'/d'}");

    observe_call(p, "a", "read", "/d/a.txt");
    observe_call(p, "secret", "read", "/d/secret.txt");
    extism.plugin_free(p);
}

static void without_wasi(void)
{
    write_text("m.wat", "(module (func (export 'run') (result i32) (i32.const 3)))");
    observe_once("{'wasm':[{'path':'m.wat'}],'allowed_paths':{'/nonexistent':'/x'}}", "run");
}

static void command(void)
{
    size_t len;
    char *wasm = built_plugin("c_command", &len);
    ExtismPlugin *p;

    if (wasm == NULL)
        return;
    p = plugin_open_with("new", wasm, len, NULL, 0, true);
    observe_call(p, "0", "_start", "0");
    observe_call(p, "1", "_start", "1");
    observe_call(p, "42", "_start", "42");
    observe_call(p, "0 again", "_start", "0");
    extism.plugin_free(p);
}

static const test_case cases[] = {
    {"reads", reads},
    {"writes", writes},
    {"read_only", read_only},
    {"read_only_rename", read_only_rename},
    {"read_only_rename_out", read_only_rename_out},
    {"read_only_rename_in", read_only_rename_in},
    {"read_only_link_in", read_only_link_in},
    {"read_only_link_out", read_only_link_out},
    {"escapes", escapes},
    {"nothing_given", nothing_given},
    {"missing_directory", missing_directory},
    {"file_as_a_directory", file_as_a_directory},
    {"names_in_the_guest", names_in_the_guest},
    {"two_names_for_one", two_names_for_one},
    {"one_name_for_two", one_name_for_two},
    {"without_wasi", without_wasi},
    {"command", command},
    {NULL, NULL},
};

const case_group wasi_path_cases = {"wasi_path", cases, false};
