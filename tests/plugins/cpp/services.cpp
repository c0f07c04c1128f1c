// A plug-in in C++: classes, a template and an object that is constructed at the start, without a
// library.

#include "ubiq.h"

extern "C" UBIQ_IMPORT("extism:host/user", "shout") ubiq_block host_shout(ubiq_block text);

namespace
{

/* A block of the host's memory that is freed with its owner. */
class block
{
public:
    explicit block(ubiq_block handle) : handle_(handle) {}
    block(const void *data, size_t size) : block(ubiq_block_of(data, size)) {}
    block(const block &) = delete;
    block &operator=(const block &) = delete;
    ~block()
    {
        if (handle_ != 0)
            extism_free(handle_);
    }

    ubiq_block handle() const { return handle_; }
    size_t size() const { return static_cast<size_t>(extism_length(handle_)); }

    /* Passes it to the host as output, which then lives on. */
    int32_t output() &&
    {
        extism_output_set(handle_, size());
        handle_ = 0;
        return 0;
    }

private:
    ubiq_block handle_;
};

template <size_t Size> class input
{
public:
    input() : size_(ubiq_input_read(0, bytes_, Size)) {}

    block to_block() const { return block(bytes_, size_); }

private:
    char bytes_[Size];
    size_t size_;
};

class counter
{
public:
    explicit counter(int32_t start) : count_(start) {}
    int32_t next() { return ++count_; }

private:
    int32_t count_;
};

int32_t from_a_function()
{
    static volatile int32_t number = 41;
    return number;
}

counter calls(from_a_function());

} // namespace

extern "C" {

UBIQ_EXPORT("shout") int32_t shout()
{
    return block(host_shout(input<4096>().to_block().handle())).output();
}

UBIQ_EXPORT("counter") int32_t count()
{
    return calls.next();
}
}
