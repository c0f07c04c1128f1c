#ifndef UBIQ_HPP
#define UBIQ_HPP

/**
 * @file ubiq.hpp
 * Functions for Ubiquitous in C++17:
 *
 *     #include <ubiq.hpp>
 *
 *     UBIQ_EXPORT("GET") int32_t get()
 *     {
 *         auto id = ubiq::request().param("id").value_or("");
 *         auto user = ubiq::kv::get("user:" + id);
 *
 *         if (!user)
 *             return ubiq::fail_last("reading the user");
 *         ubiq::output(*user);
 *         return 0;
 *     }
 *
 * It needs C++'s standard library (libc++), but neither exceptions nor RTTI; ubiq.h, which it is built
 * on, can be used in C++ without any library. Texts that come back are std::string, results are
 * ubiq::result: false when there is none, and why in code().
 */

#include "ubiq/result.hpp"

#include <vector>

namespace ubiq
{

/** The input: a request's body, an event. */
inline std::string input()
{
    return copy_of(ubiq_input());
}

/** The input as JSON, of which nothing is copied but what is asked for. */
inline json input_json()
{
    return json(ubiq_input());
}

/** Makes these bytes the output. */
inline void output(std::string_view bytes)
{
    ubiq_output(bytes.data(), bytes.size());
}

/** Makes a block the output. */
inline void output(block b)
{
    ubiq_output_block(b.release());
}

/** Ends the call with an error: `return ubiq::fail("no such user");` */
inline int32_t fail(std::string_view text)
{
    extism_error_set(ubiq_block_of(text.data(), text.size()));
    return 1;
}

/** What the last failed call of the host says; empty when there was none. */
inline std::string error_text()
{
    result<block> error = block_of(ubiq_host_error());

    return json(error->view())["message"].text().value_or("");
}

/** Ends the call with an error that says what was tried and what error_text() says. */
inline int32_t fail_last(std::string_view what)
{
    std::string why = error_text();

    return fail(why.empty() ? std::string(what) : std::string(what) + ": " + why);
}

/** The value of a configuration key, which must not be empty. */
inline std::optional<std::string> config(std::string_view key)
{
    block value(extism_config_get(block(key).release()));

    if (value.handle() == 0)
        return std::nullopt;
    return value.str();
}

/** Variables, which last as long as the instance. */
namespace var
{
inline std::optional<std::string> get(std::string_view key)
{
    block value(extism_var_get(block(key).release()));

    if (value.handle() == 0)
        return std::nullopt;
    return value.str();
}

/** No bytes remove it. */
inline void set(std::string_view key, std::string_view value)
{
    extism_var_set(block(key).release(), block(value).release());
}
} // namespace var

/** A page of a list, and where the next one begins, if there is one. */
template <class T> struct page {
    std::vector<T> items;
    std::optional<std::string> next;
};

/** Key-value storage; a time to live of 0 is for ever. */
namespace kv
{
inline result<std::string> get(std::string_view key)
{
    return string_of(ubiq_host_kv_get(block(key).handle()));
}

/** It is on disk once this returns. */
inline result<void> set(std::string_view key, std::string_view value, int64_t ttl_ms = 0)
{
    return void_of(ubiq_host_kv_set(block(key).handle(), block(value).handle(), ttl_ms));
}

/** Whether it was set: not when it was there. */
inline result<bool> set_if_absent(std::string_view key, std::string_view value, int64_t ttl_ms = 0)
{
    return bool_of(ubiq_host_kv_set_if_absent(block(key).handle(), block(value).handle(), ttl_ms));
}

/** Whether it was set: not when its value was something else than expected. */
inline result<bool> compare_and_set(std::string_view key, std::string_view expected,
                                    std::string_view value, int64_t ttl_ms = 0)
{
    return bool_of(ubiq_host_kv_compare_and_set(block(key).handle(), block(expected).handle(),
                                                block(value).handle(), ttl_ms));
}

/** The new number; what is not there counts as 0. */
inline result<int64_t> increment(std::string_view key, int64_t delta = 1)
{
    result<block> number = block_of(ubiq_host_kv_increment(block(key).handle(), delta));

    if (!number)
        return number.code();
    return json(number->view()).number().value_or(0);
}

/** Whether it was there. */
inline result<bool> remove(std::string_view key)
{
    return bool_of(ubiq_host_kv_delete(block(key).handle()));
}

/** The keys that begin with a prefix, behind `after`, in the order of their bytes. */
inline result<page<std::string>> list(std::string_view prefix, std::string_view after = {},
                                      int64_t limit = 100)
{
    result<block> answer =
        block_of(ubiq_host_kv_list(block(prefix).handle(), block(after).handle(), limit));
    page<std::string> p;

    if (!answer)
        return answer.code();
    json page_json(answer->view());
    page_json["keys"].each([&](json key) { p.items.push_back(key.text().value_or("")); });
    p.next = page_json["next"].text();
    return p;
}
} // namespace kv

/** Files by path. */
namespace storage
{
/** What is known of a file. */
struct file {
    std::string path;
    int64_t size = 0;
    std::string type;
    std::string modified; /**< "2026-01-31T12:00:00.000Z" */
};

/** A file as stat and list tell of it. */
inline file file_of(json item)
{
    file f;

    f.path = item["path"].text().value_or("");
    f.size = item["size"].number().value_or(0);
    f.type = item["type"].text().value_or("");
    f.modified = item["modified"].text().value_or("");
    return f;
}

inline result<std::string> read(std::string_view path)
{
    return string_of(ubiq_host_storage_read(block(path).handle()));
}

/** It is on disk, all of it, once this returns. */
inline result<void> write(std::string_view path, std::string_view data)
{
    return void_of(ubiq_host_storage_write(block(path).handle(), block(data).handle()));
}

/** Whether it was there. */
inline result<bool> remove(std::string_view path)
{
    return bool_of(ubiq_host_storage_delete(block(path).handle()));
}

inline result<file> stat(std::string_view path)
{
    result<block> answer = block_of(ubiq_host_storage_stat(block(path).handle()));

    if (!answer)
        return answer.code();
    return file_of(json(answer->view()));
}

/** The files whose paths begin with a prefix, behind `after`, in the order of their bytes. */
inline result<page<file>> list(std::string_view prefix, std::string_view after = {},
                               int64_t limit = 100)
{
    result<block> answer =
        block_of(ubiq_host_storage_list(block(prefix).handle(), block(after).handle(), limit));
    page<file> p;

    if (!answer)
        return answer.code();
    json page_json(answer->view());
    page_json["items"].each([&](json item) { p.items.push_back(file_of(item)); });
    p.next = page_json["next"].text();
    return p;
}
} // namespace storage

namespace events
{
/** Emits an event; its id, once it is on disk. */
inline result<std::string> emit(std::string_view topic, std::string_view payload)
{
    return string_of(ubiq_host_events_emit(block(topic).handle(), block(payload).handle()));
}
} // namespace events

/** The output of another function of the project. */
inline result<std::string> invoke(std::string_view function, std::string_view input)
{
    return string_of(ubiq_host_invoke(block(function).handle(), block(input).handle()));
}

/** What the function is called for. The body is input(). */
class request
{
  public:
    request() : document_(std::move(*block_of(ubiq_host_request())))
    {
    }

    /** All of it; lasts as long as the request. */
    json document() const
    {
        return json(document_.view());
    }

    /** "id", "method", "path", "url", "route", "trigger" and others: see ubiq/request.h. */
    std::optional<std::string> field(const char *name) const
    {
        return document()[name].text();
    }

    std::string method() const
    {
        return field("method").value_or("");
    }

    std::string path() const
    {
        return field("path").value_or("");
    }

    /** A parameter of the route. */
    std::optional<std::string> param(const char *name) const
    {
        return document()["params"][name].text();
    }

    /** A parameter of the query, the first one of this name. */
    std::optional<std::string> query(const char *name) const
    {
        return document()["query"][name].text();
    }

    /** A header, whatever the case of its name. */
    std::optional<std::string> header(const char *name) const
    {
        return document()["headers"].any_case(name).text();
    }

  private:
    block document_;
};

/** What is answered besides the output. */
namespace response
{
inline result<void> status(int32_t status)
{
    return void_of(ubiq_host_response_status(status));
}

inline result<void> header(std::string_view name, std::string_view value)
{
    return void_of(ubiq_host_response_header(block(name).handle(), block(value).handle()));
}
} // namespace response

/** The log. Attributes are a JSON object. */
namespace log
{
inline result<void> write(ubiq_level level, std::string_view message,
                          std::string_view attributes = {})
{
    return void_of(ubiq_host_log(level, block(message).handle(), block(attributes).handle()));
}

inline result<void> debug(std::string_view message, std::string_view attributes = {})
{
    return write(UBIQ_LOG_DEBUG, message, attributes);
}

inline result<void> info(std::string_view message, std::string_view attributes = {})
{
    return write(UBIQ_LOG_INFO, message, attributes);
}

inline result<void> warn(std::string_view message, std::string_view attributes = {})
{
    return write(UBIQ_LOG_WARN, message, attributes);
}

inline result<void> error(std::string_view message, std::string_view attributes = {})
{
    return write(UBIQ_LOG_ERROR, message, attributes);
}
} // namespace log

/** The invocation's trace. */
namespace trace
{
inline result<void> attribute(std::string_view key, std::string_view value)
{
    return void_of(ubiq_host_trace_attribute(block(key).handle(), block(value).handle()));
}

inline result<void> event(std::string_view name, std::string_view attributes = {})
{
    return void_of(ubiq_host_trace_event(block(name).handle(), block(attributes).handle()));
}
} // namespace trace

/** Requests to other hosts. */
namespace http
{
struct request {
    std::string url;
    std::string method = "GET";
    std::vector<std::pair<std::string, std::string>> headers = {};
    std::string body = {};
};

struct response {
    uint32_t status = 0;
    std::string body;
    block headers; /**< a JSON object; none where the host does not tell them */

    /** A header, whatever the case of its name. */
    std::optional<std::string> header(const char *name) const
    {
        return json(headers.view()).any_case(name).text();
    }
};

/** Sends a request and waits for its response. A host that cannot be reached, that is not allowed or
 * that takes too long ends the call with an error, as on any Extism host. */
inline response send(const request &r)
{
    std::string text = "{\"url\":";
    const char *comma = "";
    response answer;

    put_json(text, r.url);
    text += ",\"method\":";
    put_json(text, r.method);
    text += ",\"headers\":{";
    for (const auto &[name, value] : r.headers) {
        text += std::exchange(comma, ",");
        put_json(text, name);
        text += ':';
        put_json(text, value);
    }
    text += "}}";
    answer.body = block(extism_http_request(block(text).release(), block(r.body).release())).str();
    answer.status = extism_http_status_code();
    answer.headers = block(extism_http_headers());
    return answer;
}

/** Fetches a URL. */
inline response get(std::string_view url)
{
    request r;

    r.url = url;
    return send(r);
}
} // namespace http

} // namespace ubiq

#endif
