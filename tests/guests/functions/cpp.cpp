// The conformance suite's function in C++: see ../README.md.

#include <ubiq.hpp>

using ubiq::json;

// The words of a command behind its name.
struct words {
    std::vector<json> word;

    std::string text(size_t i) const
    {
        return word[i].text().value_or("");
    }

    int64_t number(size_t i) const
    {
        return word[i].number().value_or(0);
    }
};

static std::string quoted(std::string_view text)
{
    std::string out;

    ubiq::put_json(out, text);
    return out;
}

static std::string of(const std::optional<std::string> &text)
{
    return text ? quoted(*text) : "null";
}

static std::string of(bool value)
{
    return value ? "true" : "false";
}

static std::string of(int64_t value)
{
    return std::to_string(value);
}

static std::string of(const std::string &text)
{
    return quoted(text);
}

static std::string of(const ubiq::storage::file &file)
{
    return "{\"path\":" + quoted(file.path) + ",\"size\":" + of(file.size) +
           ",\"type\":" + quoted(file.type) +
           ",\"dated\":" + of(file.modified.substr(0, 2) == "20") + "}";
}

static std::string problem(ubiq::code code)
{
    return "{\"code\":" + std::to_string(static_cast<int>(code)) +
           ",\"message\":" + quoted(ubiq::error_text()) + "}";
}

static std::string of(const ubiq::result<void> &r)
{
    return r ? "true" : problem(r.code());
}

template <class T> static std::string of(const ubiq::result<T> &r)
{
    return r ? of(*r) : problem(r.code());
}

// The same where what is not there is null.
static std::string if_there(const ubiq::result<std::string> &r)
{
    return r.code() == ubiq::code::not_found ? "null" : of(r);
}

template <class T>
static std::string of_page(const char *name, const ubiq::result<ubiq::page<T>> &page)
{
    std::string out = std::string("{\"") + name + "\":[";

    if (!page)
        return problem(page.code());
    for (size_t i = 0; i < page->items.size(); i++)
        out += (i ? "," : "") + of(page->items[i]);
    return out + "],\"next\":" + of(page->next) + "}";
}

static std::string run_kv(const std::string &name, const words &w)
{
    namespace kv = ubiq::kv;

    if (name == "kv.get")
        return if_there(kv::get(w.text(0)));
    if (name == "kv.set")
        return of(kv::set(w.text(0), w.text(1), w.number(2)));
    if (name == "kv.set_if_absent")
        return of(kv::set_if_absent(w.text(0), w.text(1), w.number(2)));
    if (name == "kv.compare_and_set")
        return of(kv::compare_and_set(w.text(0), w.text(1), w.text(2), w.number(3)));
    if (name == "kv.increment")
        return of(kv::increment(w.text(0), w.number(1)));
    if (name == "kv.delete")
        return of(kv::remove(w.text(0)));
    return of_page("keys", kv::list(w.text(0), w.text(1), w.number(2)));
}

static std::string run_storage(const std::string &name, const words &w)
{
    namespace storage = ubiq::storage;

    if (name == "storage.read")
        return if_there(storage::read(w.text(0)));
    if (name == "storage.write")
        return of(storage::write(w.text(0), w.text(1)));
    if (name == "storage.delete")
        return of(storage::remove(w.text(0)));
    if (name == "storage.stat") {
        auto file = storage::stat(w.text(0));

        return file.code() == ubiq::code::not_found ? "null" : of(file);
    }
    return of_page("items", storage::list(w.text(0), w.text(1), w.number(2)));
}

static std::string run_request(const std::string &name, const words &w)
{
    ubiq::request r;

    if (name == "request.param")
        return of(r.param(w.text(0).c_str()));
    if (name == "request.query")
        return of(r.query(w.text(0).c_str()));
    if (name == "request.header")
        return of(r.header(w.text(0).c_str()));
    return "{\"trigger\":" + of(r.field("trigger")) + ",\"method\":" + of(r.method()) +
           ",\"path\":" + of(r.path()) + ",\"route\":" + of(r.field("route")) +
           ",\"url\":" + of(r.field("url")) + ",\"has_id\":" + of(!r.field("id")->empty()) + "}";
}

static std::string run_http(const words &w)
{
    ubiq::http::request request;

    request.method = w.text(0);
    request.url = w.text(1);
    request.headers.push_back({"X-Sent", w.text(2)});
    request.body = w.text(3);
    auto response = ubiq::http::send(request);
    return "{\"status\":" + std::to_string(response.status) + ",\"body\":" + of(response.body) +
           ",\"header\":" + of(response.header("x-reply")) + "}";
}

static std::string run(const std::string &name, const words &w)
{
    if (name == "events.emit") {
        auto id = ubiq::events::emit(w.text(0), w.text(1));

        return id ? std::to_string(id->size()) : problem(id.code());
    }
    if (name == "invoke")
        return of(ubiq::invoke(w.text(0), w.text(1)));
    if (name == "config")
        return of(ubiq::config(w.text(0)));
    if (name == "var.get")
        return of(ubiq::var::get(w.text(0)));
    if (name == "var.set") {
        ubiq::var::set(w.text(0), w.text(1));
        return "true";
    }
    if (name == "http")
        return run_http(w);
    if (name == "log")
        return of(ubiq::log::write(static_cast<ubiq_level>(w.number(0)), w.text(1), w.text(2)));
    if (name == "trace.attribute")
        return of(ubiq::trace::attribute(w.text(0), w.text(1)));
    if (name == "trace.event")
        return of(ubiq::trace::event(w.text(0), w.text(1)));
    if (name == "response.status")
        return of(ubiq::response::status(static_cast<int32_t>(w.number(0))));
    if (name == "response.header")
        return of(ubiq::response::header(w.text(0), w.text(1)));
    if (name.compare(0, 3, "kv.") == 0)
        return run_kv(name, w);
    if (name.compare(0, 8, "storage.") == 0)
        return run_storage(name, w);
    return run_request(name, w);
}

UBIQ_EXPORT("POST") int32_t post()
{
    std::string results = "[";
    std::optional<std::string> failure;

    ubiq::input_json().each([&](json command) {
        std::string name;
        words w;

        command.each([&](json word) { w.word.push_back(word); });
        name = w.text(0);
        w.word.erase(w.word.begin());
        if (name == "fail")
            failure = w.text(0);
        else
            results += (results.size() > 1 ? "," : "") + run(name, w);
    });
    if (failure)
        return ubiq::fail(*failure);
    ubiq::output(results + "]");
    return 0;
}

UBIQ_EXPORT("PUT") int32_t put()
{
    ubiq::output(ubiq::input());
    return 0;
}
