#include "services/storage.h"

#include <strings.h>

static const struct {
    const char *ending;
    const char *type;
} types[] = {
    {"aac", "audio/aac"},         {"avif", "image/avif"},
    {"bmp", "image/bmp"},         {"css", "text/css"},
    {"csv", "text/csv"},          {"gif", "image/gif"},
    {"gz", "application/gzip"},   {"htm", "text/html"},
    {"html", "text/html"},        {"ico", "image/x-icon"},
    {"ics", "text/calendar"},     {"jpeg", "image/jpeg"},
    {"jpg", "image/jpeg"},        {"js", "text/javascript"},
    {"json", "application/json"}, {"jsonl", "application/jsonl"},
    {"m4a", "audio/mp4"},         {"map", "application/json"},
    {"md", "text/markdown"},      {"mjs", "text/javascript"},
    {"mov", "video/quicktime"},   {"mp3", "audio/mpeg"},
    {"mp4", "video/mp4"},         {"oga", "audio/ogg"},
    {"ogg", "audio/ogg"},         {"ogv", "video/ogg"},
    {"otf", "font/otf"},          {"pdf", "application/pdf"},
    {"png", "image/png"},         {"svg", "image/svg+xml"},
    {"tar", "application/x-tar"}, {"tif", "image/tiff"},
    {"tiff", "image/tiff"},       {"toml", "application/toml"},
    {"ttf", "font/ttf"},          {"txt", "text/plain"},
    {"wasm", "application/wasm"}, {"wav", "audio/wav"},
    {"webm", "video/webm"},       {"webmanifest", "application/manifest+json"},
    {"webp", "image/webp"},       {"woff", "font/woff"},
    {"woff2", "font/woff2"},      {"xml", "application/xml"},
    {"yaml", "application/yaml"}, {"yml", "application/yaml"},
    {"zip", "application/zip"},   {"zst", "application/zstd"},
};

/* What comes behind the last dot of the last name; nothing if it begins with that. */
static slice ending_of(slice path)
{
    for (size_t i = path.len; i-- > 1 && path.data[i] != '/';) {
        if (path.data[i] == '.' && path.data[i - 1] != '/')
            return slice_of(path.data + i + 1, path.len - i - 1);
    }
    return slice_str(NULL);
}

const char *storage_type(slice path)
{
    slice ending = ending_of(path);

    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strlen(types[i].ending) == ending.len &&
            strncasecmp(types[i].ending, (const char *)ending.data, ending.len) == 0)
            return types[i].type;
    }
    return "application/octet-stream";
}
