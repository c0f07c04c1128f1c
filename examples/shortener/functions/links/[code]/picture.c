/* The picture of a link: PUT stores one, GET gives it back. */

#include "../../../lib/links.h"

/* The type of a picture, from its first bytes; 0 for what is none. */
static const char *type_of(const uint8_t *start, size_t size)
{
    if (size >= 4 && start[0] == 0x89 && start[1] == 'P' && start[2] == 'N' && start[3] == 'G')
        return "image/png";
    if (size >= 3 && start[0] == 0xff && start[1] == 0xd8 && start[2] == 0xff)
        return "image/jpeg";
    if (size >= 4 && start[0] == 'G' && start[1] == 'I' && start[2] == 'F' && start[3] == '8')
        return "image/gif";
    return 0;
}

static int path_of_request(char path[KEY_MAX], char key[KEY_MAX])
{
    char code[CODE_MAX + 1];
    ubiq_text t = ubiq_text_in(path, KEY_MAX);

    if (!code_of_request(code))
        return 0;
    key_of(key, "link", code);
    ubiq_put(&t, "pictures/");
    ubiq_put(&t, code);
    return 1;
}

UBIQ_EXPORT("PUT") int32_t put(void)
{
    char path[KEY_MAX], key[KEY_MAX], url[1];
    uint8_t start[8];
    size_t size = ubiq_input_read(0, start, sizeof start);
    ubiq_block picture;

    if (!path_of_request(path, key) || ubiq_kv_get(key, url, sizeof url) < 0)
        return refuse(404, "there is no such link");
    if (!type_of(start, size))
        return refuse(415, "a picture is a PNG, a JPEG or a GIF");
    picture = ubiq_block_new(ubiq_input_size());
    for (size_t at = 0; at < ubiq_input_size(); at += size) {
        static uint8_t chunk[16384];

        size = ubiq_input_read(at, chunk, sizeof chunk);
        ubiq_block_write(picture, at, chunk, size);
    }
    if (ubiq_storage_write_block(path, picture) < 0)
        return ubiq_fail_last("storing the picture");
    ubiq_response_status(204);
    return 0;
}

UBIQ_EXPORT("GET") int32_t get(void)
{
    char path[KEY_MAX], key[KEY_MAX];
    uint8_t start[8];
    ubiq_result picture;
    const char *type;

    if (!path_of_request(path, key))
        return refuse(404, "there is no such link");
    picture = ubiq_storage_read_block(path);
    if (picture == UBIQ_NOT_FOUND)
        return refuse(404, "the link has no picture");
    if (picture < 0)
        return ubiq_fail_last("reading the picture");
    type = type_of(start, ubiq_block_read((ubiq_block)picture, 0, start, sizeof start));
    ubiq_response_header("Content-Type", type ? type : "application/octet-stream");
    ubiq_output_block((ubiq_block)picture);
    return 0;
}
