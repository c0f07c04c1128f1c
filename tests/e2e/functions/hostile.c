/* Does harm in the way that the first word of its input names, a number behind it. */

#include <ubiq.h>

#define MIB (1024UL * 1024)

static char word[32];
static int64_t number;

static void say(const char *what, int64_t n)
{
    static char room[256];
    ubiq_text out = ubiq_text_in(room, sizeof room);

    ubiq_put(&out, what);
    ubiq_put_char(&out, ' ');
    ubiq_put_number(&out, n);
    ubiq_output_of(&out);
}

static void read_input(void)
{
    char input[64] = {0};
    size_t i = 0;

    ubiq_input_read(0, input, sizeof input - 1);
    for (; input[i] && input[i] != ' ' && i < sizeof word - 1; i++)
        word[i] = input[i];
    for (i += input[i] == ' '; input[i] >= '0' && input[i] <= '9'; i++)
        number = number * 10 + (input[i] - '0');
}

static int is(const char *name)
{
    return ubiq_text_equal(word, name);
}

/* Takes all memory that it can get, and writes to it. */
static void grow(void)
{
    size_t at;

    while ((at = __builtin_wasm_memory_grow(0, 1)) != (size_t)-1)
        *(volatile char *)(at * 65536) = 1;
}

static __attribute__((noinline)) int64_t recurse(int64_t n)
{
    return n < 0 ? 0 : 3 * recurse(n + 1) + n;
}

/* Blocks of the kernel's memory, each used for a key: how many there were before one was refused. */
static void hold(void)
{
    ubiq_block last = 0;
    int64_t n = 0;

    for (; n < number; n++) {
        last = ubiq_block_of_text("key");
        if (!last)
            break;
    }
    ubiq_host_kv_set(last, last, 0);
    say("held", n);
}

/* Files of one MiB, until it is told to stop. */
static void fill_storage(void)
{
    ubiq_block data = ubiq_block_new(MIB);
    ubiq_result r = 0;
    int64_t n = 0;

    for (; n < number && r == 0; n++) {
        char path[32];
        ubiq_text t = ubiq_text_in(path, sizeof path);

        ubiq_put(&t, "file/");
        ubiq_put_number(&t, n);
        r = ubiq_host_storage_write(ubiq_block_of_text(path), data);
    }
    say("wrote", r < 0 ? r : n);
}

static void fill_keys(void)
{
    ubiq_block value = ubiq_block_new(1000);
    ubiq_result r = 0;
    int64_t n = 0;

    for (; n < number && r == 0; n++) {
        char key[32];
        ubiq_text t = ubiq_text_in(key, sizeof key);

        ubiq_put(&t, "fill:");
        ubiq_put_number(&t, n);
        r = ubiq_host_kv_set(ubiq_block_of_text(key), value, 0);
    }
    say("set", r < 0 ? r : n);
}

static void fill_log(void)
{
    ubiq_block text = ubiq_block_new(16384);

    for (size_t i = 0; i < 16384; i++)
        ubiq_block_write(text, i, "x", 1);
    for (int64_t n = 0; n < number; n++) {
        ubiq_host_log(2, text, 0);
        extism_log_info(ubiq_block_of_text("one\n2026-01-01T00:00:00.000Z ERROR forged: x"));
    }
    say("logged", number);
}

static void fill_trace(void)
{
    ubiq_result r = 0;
    int64_t n = 0;

    for (; n < number && r == 0; n++)
        r = ubiq_trace_attribute("name", "value");
    say("traced", r);
}

static void emit(void)
{
    ubiq_result r = 0;
    int64_t n = 0;

    for (; n < number && r >= 0; n++) {
        r = ubiq_events_emit("hostile", "count", 5, 0, 0);
    }
    say("emitted", r < 0 ? r : n);
}

/* Each invokes three more; the output counts them. */
static void tree(void)
{
    int64_t count = 1;

    for (int i = 0; i < 3; i++) {
        char text[64] = {0};
        ptrdiff_t size = ubiq_invoke("hostile", "tree", 4, text, sizeof text - 1);
        int64_t below = 0;

        for (char *at = text + 5; size > 5 && *at >= '0' && *at <= '9'; at++)
            below = below * 10 + (*at - '0');
        count += below;
    }
    say("tree", count);
}

/* What becomes of a key and of a file of each odd name. */
static void try_names(void)
{
    static const struct {
        const char *bytes;
        size_t size;
    } names[] = {{"a\0b", 3},      {"\xff", 1},   {"\xc0\xaf", 2}, {"\xed\xa0\x80", 3},
                 {"..", 2},        {"a/../b", 6}, {"/a", 2},       {"a//b", 4},
                 {"%2e%2e%2f", 9}, {"a\nb", 3},   {"", 0}};
    static char room[1000];
    ubiq_text out = ubiq_text_in(room, sizeof room);
    ubiq_block long_name = ubiq_block_new(10240);

    for (size_t i = 0; i <= sizeof names / sizeof *names; i++) {
        ubiq_block name = i < sizeof names / sizeof *names
                              ? ubiq_block_of(names[i].bytes, names[i].size)
                              : long_name;

        ubiq_put_number(&out, ubiq_host_kv_set(name, name, 0));
        ubiq_put_char(&out, ' ');
        ubiq_put_number(&out, ubiq_host_storage_write(name, name));
        ubiq_put_char(&out, '\n');
    }
    ubiq_output_of(&out);
}

static uint64_t seed;

static uint64_t chance(uint64_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % below;
}

static ubiq_block kept[16];

/* A handle, a good one or not. */
static uint64_t any(void)
{
    static const uint64_t odd[] = {
        0, 1, 7, 77, 0xffff, 1ULL << 31, 0xffffffffULL, 1ULL << 32, 1ULL << 40, 1ULL << 63, ~0ULL};
    ubiq_block *block = &kept[chance(16)];

    switch (chance(6)) {
    case 0:
        return odd[chance(sizeof odd / sizeof *odd)];
    case 1:
        return chance(1UL << 20);
    case 2:
        return *block + chance(3) - 1;
    case 3:
        if (*block && chance(4) == 0)
            ubiq_block_free(*block);
        *block = chance(8) ? ubiq_block_new(chance(300)) : ubiq_block_new(chance(100000));
        return *block;
    default:
        return ubiq_block_of_text(chance(2) ? "echo" : "a/b.txt");
    }
}

static int64_t any_number(void)
{
    return chance(2) ? (int64_t)chance(1000) - 100 : (int64_t)any();
}

static void call_any(void)
{
    switch (chance(24)) {
    case 0:
        ubiq_host_kv_get(any());
        break;
    case 1:
        ubiq_host_kv_set(any(), any(), any_number());
        break;
    case 2:
        ubiq_host_kv_set_if_absent(any(), any(), any_number());
        break;
    case 3:
        ubiq_host_kv_compare_and_set(any(), any(), any(), any_number());
        break;
    case 4:
        ubiq_host_kv_increment(any(), any_number());
        break;
    case 5:
        ubiq_host_kv_delete(any());
        break;
    case 6:
        ubiq_host_kv_list(any(), any(), any_number());
        break;
    case 7:
        ubiq_host_storage_read(any());
        break;
    case 8:
        ubiq_host_storage_write(any(), any());
        break;
    case 9:
        ubiq_host_storage_delete(any());
        break;
    case 10:
        ubiq_host_storage_stat(any());
        break;
    case 11:
        ubiq_host_storage_list(any(), any(), any_number());
        break;
    case 12:
        ubiq_host_events_emit(any(), any());
        break;
    case 13:
        ubiq_host_invoke(any(), any());
        break;
    case 14:
        ubiq_host_request();
        break;
    case 15:
        ubiq_host_response_status((int32_t)any_number());
        break;
    case 16:
        ubiq_host_response_header(any(), any());
        break;
    case 17:
        ubiq_host_log((int32_t)any_number(), any(), any());
        break;
    case 18:
        ubiq_host_trace_attribute(any(), any());
        break;
    case 19:
        ubiq_host_trace_event(any(), any());
        break;
    case 20:
        ubiq_host_error();
        break;
    case 21:
        extism_free(any());
        break;
    /* What the kernel keeps of its blocks stands before them. */
    case 22:
        if (kept[0])
            extism_store_u64(kept[0] - chance(32), any());
        break;
    default:
        extism_length(any());
    }
}

static void fuzz(void)
{
    seed = (uint64_t)number * 0x9e3779b97f4a7c15ULL + 1;
    for (int i = 0; i < 400; i++)
        call_any();
    say("fuzzed", 400);
}

UBIQ_EXPORT("handle") int32_t handle(void)
{
    read_input();
    if (is("grow"))
        grow();
    else if (is("recurse"))
        say("recursed", recurse(0));
    else if (is("hold"))
        hold();
    else if (is("storage"))
        fill_storage();
    else if (is("keys"))
        fill_keys();
    else if (is("log"))
        fill_log();
    else if (is("trace"))
        fill_trace();
    else if (is("emit"))
        emit();
    else if (is("tree"))
        tree();
    else if (is("names"))
        try_names();
    else if (is("fuzz"))
        fuzz();
    else if (is("blocks"))
        for (;;)
            ubiq_block_new(65536);
    else if (is("output"))
        extism_output_set(extism_alloc((uint64_t)number), (uint64_t)number);
    else if (is("loop"))
        for (volatile int64_t n = 0;; n = n + 1)
            ;
    return 0;
}
