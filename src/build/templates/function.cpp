#include <ubiq.hpp>

// Greets whom the request's body names.
UBIQ_EXPORT("handle") int32_t handle()
{
    std::string name = ubiq::input();

    ubiq::output("Hello, " + (name.empty() ? "world" : name) + "!\n");
    return 0;
}
