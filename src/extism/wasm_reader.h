#ifndef UBIQ_EXTISM_WASM_READER_H
#define UBIQ_EXTISM_WASM_READER_H

#include "base/slice.h"

/* Reads the WebAssembly binary format (core specification 3.0, chapter 5). A read past the end or
 * of a number that is too long sets `failed`, moves to the end and gives 0, so that a caller may
 * check once behind a run of reads. */
typedef struct wasm_reader {
    const uint8_t *at;
    const uint8_t *end;
    bool failed;
} wasm_reader;

enum wasm_section {
    WASM_SECTION_CUSTOM = 0,
    WASM_SECTION_TYPE = 1,
    WASM_SECTION_IMPORT = 2,
    WASM_SECTION_FUNCTION = 3,
    WASM_SECTION_TABLE = 4,
    WASM_SECTION_MEMORY = 5,
    WASM_SECTION_GLOBAL = 6,
    WASM_SECTION_EXPORT = 7,
    WASM_SECTION_START = 8,
    WASM_SECTION_ELEMENT = 9,
    WASM_SECTION_CODE = 10,
    WASM_SECTION_DATA = 11,
    WASM_SECTION_DATA_COUNT = 12,
    WASM_SECTION_TAG = 13,
    WASM_SECTION_COUNT = 14
};

enum wasm_extern_kind {
    WASM_KIND_FUNC = 0,
    WASM_KIND_TABLE = 1,
    WASM_KIND_MEMORY = 2,
    WASM_KIND_GLOBAL = 3,
    WASM_KIND_TAG = 4
};

static inline wasm_reader wasm_reader_of(slice s)
{
    return (wasm_reader){.at = s.data, .end = s.len ? s.data + s.len : s.data, .failed = false};
}

static inline uint64_t wasm_reader_fail(wasm_reader *r)
{
    r->failed = true;
    r->at = r->end;
    return 0;
}

static inline bool wasm_reader_more(const wasm_reader *r)
{
    return r->at < r->end;
}

static inline uint8_t wasm_read_byte(wasm_reader *r)
{
    return r->at < r->end ? *r->at++ : (uint8_t)wasm_reader_fail(r);
}

/* An unsigned LEB128 number of at most `bits` (32 or 64). */
static inline uint64_t wasm_read_uint(wasm_reader *r, unsigned bits)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < bits; shift += 7) {
        uint8_t byte = wasm_read_byte(r);
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return bits == 32 && value > UINT32_MAX ? wasm_reader_fail(r) : value;
    }
    return wasm_reader_fail(r);
}

static inline uint32_t wasm_read_u32(wasm_reader *r)
{
    return (uint32_t)wasm_read_uint(r, 32);
}

/* Passes over a signed or unsigned LEB128 number, whatever its width. */
static inline void wasm_skip_leb(wasm_reader *r)
{
    for (unsigned n = 0; n < 10; n++) {
        if (!(wasm_read_byte(r) & 0x80))
            return;
    }
    wasm_reader_fail(r);
}

/* The next `len` bytes, and moves past them. */
static inline slice wasm_read_bytes(wasm_reader *r, size_t len)
{
    const uint8_t *at = r->at;
    if (len > (size_t)(r->end - r->at)) {
        wasm_reader_fail(r);
        return slice_of(NULL, 0);
    }
    r->at += len;
    return slice_of(at, len);
}

/* A name or byte vector: its length, then its bytes. */
static inline slice wasm_read_name(wasm_reader *r)
{
    uint32_t len = wasm_read_u32(r);
    return wasm_read_bytes(r, len);
}

#endif
