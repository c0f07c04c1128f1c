/* Uses every function of ubiq.hpp once, so that each is compiled; never run. */

#include <ubiq.hpp>

static void use_keys(std::string &text)
{
    if (auto value = ubiq::kv::get(text))
        text += *value;
    else if (value.code() == ubiq::code::not_found)
        text += value.value_or("none");
    ubiq::kv::set("a", text, 5);
    if (*ubiq::kv::set_if_absent("a", text) || *ubiq::kv::compare_and_set("a", "b", "c") ||
        *ubiq::kv::remove("a"))
        text += std::to_string(*ubiq::kv::increment("n"));
    for (const auto &key : ubiq::kv::list("p")->items)
        text += key;
}

static void use_services(std::string &text)
{
    text += ubiq::storage::read("x").value_or("none");
    ubiq::storage::write("x", text);
    ubiq::storage::remove("x");
    text += ubiq::storage::stat("x")->type;
    for (const auto &file : ubiq::storage::list("p")->items)
        text += file.path;
    text += *ubiq::events::emit("t", "p");
    text += *ubiq::invoke("f", "x");
    text += ubiq::config("x").value_or("");
    ubiq::var::set("a", "b");
    text += ubiq::var::get("a").value_or("");
}

static void use_request(std::string &text)
{
    ubiq::request request;

    text += request.method() + request.path();
    text += request.param("id").value_or("");
    text += request.query("q").value_or("");
    text += request.header("x").value_or("");
    ubiq::response::status(404);
    ubiq::response::header("a", "b");
    ubiq::log::debug("x");
    ubiq::log::info("x", "{}");
    ubiq::log::warn("x");
    ubiq::log::error("x");
    ubiq::trace::attribute("a", "b");
    ubiq::trace::event("x");
}

static void use_http(std::string &text)
{
    ubiq::http::request request;

    request.url = "http://example.com";
    request.headers.push_back({"a", "b"});
    auto response = ubiq::http::send(request);
    text += response.body + response.header("x").value_or("");
    text += ubiq::http::get("http://example.com").body;
}

UBIQ_EXPORT("handle") int32_t handle()
{
    std::string text = ubiq::input();

    text += ubiq::input_json()["x"].text().value_or("");
    use_keys(text);
    use_services(text);
    use_request(text);
    use_http(text);
    ubiq::output(text);
    ubiq::output(ubiq::block("x"));
    return text.empty() ? ubiq::fail("x") : ubiq::fail_last("x");
}
