/* Malformed text can make toml++'s own assertions fail. With NDEBUG they would be promises to the
 * compiler and the behaviour undefined, so here they throw, whatever the build. */
#undef NDEBUG
struct toml_assertion {
};
[[noreturn]] static void fail_assertion()
{
    throw toml_assertion();
}
#define TOML_ASSERT(expr) (static_cast<bool>(expr) ? static_cast<void>(0) : fail_assertion())
#define TOML_HEADER_ONLY 1
#define TOML_ENABLE_UNRELEASED_FEATURES 1 /* what toml.h says of TOML 1.1 */
#define TOML_MAX_NESTED_VALUES 16         /* TOML_NESTING_MAX; it must be known before toml++ is */
#include <toml++/toml.h>

#include <array>
#include <charconv>
#include <cmath>
#include <string>
#include <string_view>

extern "C" {
#include "base/json.h"
#include "base/toml.h"
}

static_assert(TOML_MAX_NESTED_VALUES == TOML_NESTING_MAX, "see above");

namespace
{

/* A code of ours on its way out; the error's text is set where it is thrown. */
struct failure {
    int code;
};

void check(int rc)
{
    if (rc)
        throw failure{rc};
}

/* The offset behind the string that begins at `at`, or of the newline that breaks it off. */
size_t skip_string(std::string_view text, size_t at)
{
    const char quote = text[at];
    const std::string three(3, quote);
    const bool many_lines = text.substr(at, 3) == three;
    const std::string_view close = std::string_view(three).substr(0, many_lines ? 3 : 1);

    at += close.size();
    while (at < text.size()) {
        if (text[at] == '\\' && quote == '"') {
            at += 2;
        } else if (text[at] == '\n' && !many_lines) {
            return at;
        } else if (text.substr(at, close.size()) == close) {
            at += close.size();
            /* Up to two quotes before the last three belong to the content. */
            for (int i = 0; many_lines && i < 2 && at < text.size() && text[at] == quote; i++)
                at++;
            return at;
        } else {
            at++;
        }
    }
    return text.size();
}

/* What toml++ must not see: the offset of the first such byte, or the size of the text.
 * It frees its tables recursively and does not limit the parts of a key, so that 50 kB of "a.a.a"
 * would overflow the stack; therefore the dots of a key are counted. Letters beyond ASCII, which TOML
 * has in strings and comments only, it takes in bare keys, and elsewhere its behaviour is undefined.
 * And a quote that begins no string would put this scan out of step with it. */
size_t find_refused(std::string_view text, const char **why)
{
    size_t dots = 0;
    size_t at = text.substr(0, 3) == "\xef\xbb\xbf" ? 3 : 0; /* a byte order mark */
    char before = '\n';                                       /* the last that was no space */

    for (; at < text.size(); at++) {
        const char c = text[at];

        switch (c) {
        case ' ':
        case '\t':
            continue;
        case '"':
        case '\'':
            *why = "a quote stands where no string can begin";
            if (std::string_view("\n=,.[{").find(before) == std::string_view::npos)
                return at;
            at = skip_string(text, at) - 1;
            break;
        case '#':
            at = std::min(text.find('\n', at), text.size()) - 1;
            continue;
        case '.':
            *why = "a key of too many parts";
            if (++dots == TOML_NESTING_MAX)
                return at;
            break;
        case '\n':
        case '=':
        case ',':
        case '[':
        case ']':
        case '{':
        case '}':
            dots = 0;
            break;
        default:
            *why = "letters beyond ASCII must stand in quotes";
            if (static_cast<unsigned char>(c) >= 0x80)
                return at;
            break;
        }
        before = c;
    }
    return text.size();
}

class writer
{
  public:
    writer(buf *to, error *e) : out(to), err(e)
    {
    }

    /* Recursion is bounded by TOML_NESTING_MAX, for keys and for values. */
    void put(const toml::node &node)
    {
        node.visit([this](auto &&value) { put_value(value); });
    }

  private:
    buf *out;
    error *err;

    void put_text(std::string_view text)
    {
        check(buf_append(out, text.data(), text.size()));
    }

    void put_quoted(std::string_view text)
    {
        check(json_put_string(out, slice_of(text.data(), text.size())));
    }

    void put_value(const toml::table &table)
    {
        const char *separator = "{";

        for (auto &&[key, value] : table) {
            put_text(separator);
            put_quoted(key.str());
            put_text(":");
            put(value);
            separator = ",";
        }
        put_text(table.empty() ? "{}" : "}");
    }

    void put_value(const toml::array &array)
    {
        const char *separator = "[";

        for (auto &&value : array) {
            put_text(separator);
            put(value);
            separator = ",";
        }
        put_text(array.empty() ? "[]" : "]");
    }

    void put_value(const toml::value<std::string> &value)
    {
        put_quoted(value.get());
    }

    void put_value(const toml::value<int64_t> &value)
    {
        put_text(std::to_string(value.get()));
    }

    void put_value(const toml::value<bool> &value)
    {
        put_text(value.get() ? "true" : "false");
    }

    void put_value(const toml::value<double> &value)
    {
        std::array<char, 32> text;

        if (!std::isfinite(value.get()))
            refuse(value, "nan and inf have no form in JSON");
        const auto end = std::to_chars(text.begin(), text.end(), value.get()).ptr;
        const std::string_view digits(text.data(), static_cast<size_t>(end - text.begin()));
        put_text(digits);
        /* 5.0 stays a number that is not a whole one. */
        if (digits.find_first_of(".e") == std::string_view::npos)
            put_text(".0");
    }

    template <typename T> void put_value(const toml::value<T> &value)
    {
        refuse(value, "a date or time has no form in JSON, write it as a string");
    }

    [[noreturn]] void refuse(const toml::node &node, const char *why)
    {
        const auto begin = node.source().begin;

        throw failure{error_set(err, E_INVALID, "line %u, column %u: %s", begin.line, begin.column,
                                why)};
    }
};

int refuse_at(slice text, size_t at, const char *why, error *err)
{
    size_t line;
    size_t column;

    slice_position(text, at, &line, &column);
    return error_set(err, E_INVALID, "line %zu, column %zu: %s", line, column, why);
}

/* toml++ may quote the text as it is, with its line breaks and control characters. */
int refuse(const toml::parse_error &e, error *err)
{
    const auto begin = e.source().begin;
    std::string why(e.description());

    for (char &c : why) {
        if (static_cast<unsigned char>(c) < ' ' || c == 0x7f)
            c = '?';
    }
    return error_set(err, E_INVALID, "line %u, column %u: %s", begin.line, begin.column,
                     why.c_str());
}

int convert(slice text, buf *out, error *err)
{
    const std::string_view view(reinterpret_cast<const char *>(text.data), text.len);
    const char *why = nullptr;
    const size_t refused = find_refused(view, &why);

    if (!slice_is_utf8(text))
        return error_set(err, E_INVALID, "not UTF-8 from byte %zu on", slice_utf8_prefix(text));
    if (refused < text.len)
        return refuse_at(text, refused, why, err);
    try {
        writer(out, err).put(toml::parse(view));
        return 0;
    } catch (const failure &f) {
        return f.code == E_INVALID ? f.code
                                   : error_set(err, f.code, "%s", error_code_name(f.code));
    } catch (const toml_assertion &) {
        return error_set(err, E_INVALID, "not TOML");
    } catch (const toml::parse_error &e) {
        return refuse(e, err);
    }
}

} // namespace

extern "C" int toml_to_json(slice text, buf *out, error *err)
{
    const size_t start = out->len;
    int rc;

    try {
        rc = convert(text, out, err);
    } catch (const std::bad_alloc &) {
        rc = error_set(err, E_NO_MEMORY, "%s", error_code_name(E_NO_MEMORY));
    } catch (const std::exception &e) {
        rc = error_set(err, E_INTERNAL, "reading TOML: %s", e.what());
    }
    if (rc)
        out->len = start;
    return rc;
}
