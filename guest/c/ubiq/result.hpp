#ifndef UBIQ_RESULT_HPP
#define UBIQ_RESULT_HPP

/**
 * @file result.hpp
 * What ubiq.hpp is made of: results, blocks and JSON in C++.
 */

#include "../ubiq.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace ubiq
{

/** What a negative result means; error_text() says it in words. */
enum class code : int32_t {
    none = 0,
    not_found = UBIQ_NOT_FOUND,
    denied = UBIQ_DENIED,
    invalid = UBIQ_INVALID,
    too_large = UBIQ_TOO_LARGE,
    over_quota = UBIQ_OVER_QUOTA,
    conflict = UBIQ_CONFLICT,
    timeout = UBIQ_TIMEOUT,
    unavailable = UBIQ_UNAVAILABLE,
    busy = UBIQ_BUSY
};

/** A value, or the code that says why there is none. */
template <class T> class result
{
  public:
    result(T value) : value_(std::move(value)), code_(ubiq::code::none)
    {
    }

    result(ubiq::code why) : value_(), code_(why)
    {
    }

    /** Whether there is a value. */
    explicit operator bool() const
    {
        return code_ == ubiq::code::none;
    }

    /** Why there is none; code::none when there is one. */
    ubiq::code code() const
    {
        return code_;
    }

    /** The value; an empty one where there is none. */
    T &operator*()
    {
        return value_;
    }

    const T &operator*() const
    {
        return value_;
    }

    T *operator->()
    {
        return &value_;
    }

    const T *operator->() const
    {
        return &value_;
    }

    /** The value, or another where there is none. */
    T value_or(T other) const
    {
        return *this ? value_ : std::move(other);
    }

  private:
    T value_;
    ubiq::code code_;
};

/** Whether something was done, or the code that says why not. */
template <> class result<void>
{
  public:
    result(ubiq::code why = ubiq::code::none) : code_(why)
    {
    }

    explicit operator bool() const
    {
        return code_ == ubiq::code::none;
    }

    ubiq::code code() const
    {
        return code_;
    }

  private:
    ubiq::code code_;
};

/** The bytes of a view of the host's memory. */
inline std::string copy_of(ubiq_view view)
{
    std::string bytes(view.size, '\0');

    ubiq_view_read(view, 0, bytes.data(), bytes.size());
    return bytes;
}

/** A block of the host's memory that frees itself. */
class block
{
  public:
    block() = default;

    /** Takes a block over. */
    explicit block(ubiq_block handle) : handle_(handle)
    {
    }

    /** A new block with a copy of these bytes. */
    explicit block(std::string_view bytes) : handle_(ubiq_block_of(bytes.data(), bytes.size()))
    {
    }

    block(block &&other) noexcept : handle_(other.release())
    {
    }

    block &operator=(block &&other) noexcept
    {
        std::swap(handle_, other.handle_);
        return *this;
    }

    block(const block &) = delete;
    block &operator=(const block &) = delete;

    ~block()
    {
        ubiq_block_free(handle_);
    }

    ubiq_block handle() const
    {
        return handle_;
    }

    ubiq_view view() const
    {
        return ubiq_view_of(handle_);
    }

    std::string str() const
    {
        return copy_of(view());
    }

    /** Gives the block away; nothing frees it any more. */
    ubiq_block release()
    {
        return std::exchange(handle_, 0);
    }

  private:
    ubiq_block handle_ = 0;
};

/** What a host function gave back that is a block. */
inline result<block> block_of(ubiq_result r)
{
    if (r < 0)
        return static_cast<code>(r);
    return block(static_cast<ubiq_block>(r));
}

/** What a host function gave back, as bytes. */
inline result<std::string> string_of(ubiq_result r)
{
    if (r < 0)
        return static_cast<code>(r);
    return block(static_cast<ubiq_block>(r)).str();
}

/** What a host function gave back that is 1 or 0. */
inline result<bool> bool_of(ubiq_result r)
{
    if (r < 0)
        return static_cast<code>(r);
    return r != 0;
}

/** What a host function gave back that is nothing or a code. */
inline result<void> void_of(ubiq_result r)
{
    return r < 0 ? static_cast<code>(r) : code::none;
}

/** A JSON value in the host's memory; it owns nothing. See ubiq/json.h. */
class json
{
  public:
    json() = default;

    explicit json(ubiq_view view) : view_(view)
    {
    }

    /** Whether it is there: members that are missing are not. */
    explicit operator bool() const
    {
        return view_.size > 0;
    }

    /** The member of an object, which is not there when the value is no object. The name ends with a
     * NUL. */
    json operator[](const char *name) const
    {
        ubiq_view found;

        return ubiq_json_member(view_, name, &found) ? json(found) : json();
    }

    /** As operator[], whatever the case of the name. */
    json any_case(const char *name) const
    {
        ubiq_view found;

        return ubiq_json_member_any_case(view_, name, &found) ? json(found) : json();
    }

    /** Of a string what it stands for, of anything else its JSON; nothing for null and what is not
     * there. */
    std::optional<std::string> text() const
    {
        std::string out(view_.size + 1, '\0'); /* a string is never longer than its JSON */
        ptrdiff_t length = *this ? ubiq_json_text(view_, out.data(), out.size()) : -1;

        if (length < 0)
            return std::nullopt;
        out.resize(static_cast<size_t>(length));
        return out;
    }

    /** A whole number. */
    std::optional<int64_t> number() const
    {
        int64_t n;

        if (!*this || !ubiq_json_int(view_, &n))
            return std::nullopt;
        return n;
    }

    ubiq_view view() const
    {
        return view_;
    }

    /** Calls f(json element) for each element of an array, and f(json value) for each member's value
     * of an object. */
    template <class F> void each(F f) const
    {
        ubiq_json_walk w = ubiq_json_walk_of(view_);
        ubiq_view value;

        while (ubiq_json_next(&w, nullptr, &value))
            f(json(value));
    }

  private:
    ubiq_view view_ = {0, 0};
};

/** Appends a JSON string, quotes included. */
inline void put_json(std::string &to, std::string_view text)
{
    ubiq_text count = ubiq_text_in_block(0);
    size_t begin = to.size();

    ubiq_put_json_bytes(&count, text.data(), text.size());
    to.resize(begin + count.length + 1);
    ubiq_text t = ubiq_text_in(to.data() + begin, count.length + 1);
    ubiq_put_json_bytes(&t, text.data(), text.size());
    to.resize(begin + count.length);
}

} // namespace ubiq

#endif
