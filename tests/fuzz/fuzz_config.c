#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "app/config_internal.h"
#include "app/dotenv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold, whatever the build. */
static void require(bool holds)
{
    if (!holds)
        abort();
}

/* Each problem is a line of text that a terminal may show, and lies within the file. */
static void check_problems(const problems *found, slice text)
{
    size_t lines = 1;

    for (size_t i = 0; i < text.len; i++)
        lines += text.data[i] == '\n';
    for (size_t i = 0; i < found->count; i++) {
        const char *said = found->item[i].text;

        require(found->item[i].line <= lines);
        require(*said && slice_is_utf8(slice_str(said)));
        require(i == 0 || found->item[i - 1].line <= found->item[i].line);
    }
}

static void check_list(const config_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        require(list->item[i] != NULL);
}

/* Whatever is wrong, what is read can be used. */
static void check_config(const config *c)
{
    require(c->listen && c->admin_listen && c->time_zone);
    require(c->limits.cpu_ms > 0 && c->limits.wall_ms > 0 && c->limits.memory_bytes > 0);
    require(c->middleware.rate_limit.burst > 0 && c->middleware.cors.origins.item);
    check_list(&c->middleware.use);
    for (size_t i = 0; i < c->function_count; i++) {
        const config_function *f = &c->functions[i];

        require(i == 0 || strcmp(c->functions[i - 1].name, f->name) < 0);
        require(f->limits.wall_ms != UINT64_MAX && f->limits.http_requests != UINT32_MAX);
        check_list(&f->methods);
        check_list(&f->permissions);
    }
    for (size_t i = 0; i < c->trigger_count; i++)
        require(c->triggers[i].pattern && c->triggers[i].function);
    for (size_t i = 0; i < c->env.count; i++)
        require(slice_is_utf8(slice_of(c->env.entry[i].value, c->env.entry[i].value_len)));
}

/* A ubiq.toml, or, behind a first line of "#env", a .env with which one is read that asks for it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char mark[] = "#env\n";
    slice text = slice_of(data, size);
    bool is_dotenv = size >= sizeof mark - 1 && memcmp(data, mark, sizeof mark - 1) == 0;
    problems found = {0};
    config_reader r = {
        .file = "ubiq.toml",
        .environment = ENVIRONMENT_DEVELOPMENT,
        .has_dotenv = true,
        .problems = &found,
    };
    config c;

    if (is_dotenv) {
        require(dotenv_parse(&r.dotenv, text, ".env", &found, NULL) == 0);
        check_problems(&found, text);
        problems_deinit(&found);
        text = slice_str("[env]\nA = '${A}'\nB = '$$${B}'\n");
    }
    require(config_parse(&c, text, &r, NULL) == 0);
    check_problems(&found, text);
    check_config(&c);
    config_deinit(&c);
    problems_deinit(&found);
    strmap_deinit(&r.dotenv);
    return 0;
}
