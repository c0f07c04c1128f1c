#ifndef UBIQ_EXTISM_MANIFEST_H
#define UBIQ_EXTISM_MANIFEST_H

#include "base/error.h"
#include "base/slice.h"
#include "base/strmap.h"

/* An Extism manifest: which modules a plug-in is made of, and what it may do.
 * The format is upstream's (extism/manifest, schema.json), in JSON or TOML, and as strict: unknown
 * keys, keys that come twice, wrong types, and a module with not exactly one of path, data and url
 * are errors. A memory object, the manifest itself, and data's {"ptr", "len"} may also be written
 * as an array of the values in order, as upstream's reader takes them.
 * It differs in this: a NUL in a path, URL, method, host, name or hash is refused (upstream crashes
 * or looks for what cannot be there), and in TOML a number beyond int64_t and a date in place of a
 * table are. */

enum manifest_wasm_kind { MANIFEST_WASM_FILE, MANIFEST_WASM_DATA, MANIFEST_WASM_URL };

typedef struct manifest_wasm {
    enum manifest_wasm_kind kind;
    char *path;    /* FILE: a path on the host */
    uint8_t *data; /* DATA: the module's bytes (NULL when there are none) */
    size_t data_len;
    char *url;      /* URL: where to get it, */
    char *method;   /* with which method (NULL: GET) */
    strmap headers; /* and which headers */
    char *name;     /* the module's name, or NULL */
    char *hash;     /* its expected SHA-256, or NULL; any text, only lower-case hex can match */
} manifest_wasm;

typedef struct manifest_path {
    char *host;     /* a directory on the host, without "ro:" */
    char *guest;    /* where the guest sees it */
    bool read_only; /* the key began with "ro:" */
} manifest_path;

typedef struct manifest {
    manifest_wasm *wasm;
    size_t wasm_count;
    bool has_max_pages;
    uint32_t max_pages; /* of 64 KiB, all memories together */
    bool has_max_http_response_bytes;
    uint64_t max_http_response_bytes; /* default in limits.h */
    bool has_max_var_bytes;
    uint64_t max_var_bytes; /* keys and values; 0: no variables; default in limits.h */
    strmap config;          /* NULs may stand in it */
    bool has_allowed_hosts; /* false: no host may be reached, as with an empty list */
    char **allowed_hosts;   /* host names or glob patterns */
    size_t allowed_hosts_count;
    manifest_path *allowed_paths; /* in the order of their keys, "ro:" included */
    size_t allowed_paths_count;
    bool has_timeout_ms;
    uint64_t timeout_ms;
} manifest;

/* Reads a manifest from JSON or TOML text. On success the caller owns `out`'s content and ends it
 * with manifest_deinit; on failure `out` is empty. E_INVALID, or E_TOO_LARGE over
 * LIMIT_MANIFEST_BYTES: the error's text begins with "Unknown manifest format: " and says what is
 * wrong and where, by key and line. E_NO_MEMORY.
 * A manifest may name a module by its address in this process: {"data": {"ptr": 4096, "len": 8}}.
 * The bytes are copied. This is meant for the embedding host, which is trusted: whoever writes the
 * manifest can read any of this process's memory in this way. An address where nothing can be read
 * is E_INVALID; only where a sandbox forbids process_vm_readv does it end the process. */
int manifest_parse(manifest *out, slice text, error *err) MUST_CHECK;

/* Makes `out` a deep copy of everything but the modules (wasm is left empty). E_NO_MEMORY leaves it
 * empty. */
int manifest_copy_settings(manifest *out, const manifest *from) MUST_CHECK;

/* Frees the content. Takes an all-zero or half-filled manifest. */
void manifest_deinit(manifest *m);

#endif
