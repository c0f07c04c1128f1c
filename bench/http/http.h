#ifndef UBIQ_BENCH_HTTP_H
#define UBIQ_BENCH_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the parts of bench_http share: a little HTTP/1.1 over sockets that do not block. All of it ends
 * the process when something fails that must not. */

#define HTTP_NS_PER_MS 1000000u

uint64_t http_now_ns(void);

/* A socket on its way to 127.0.0.1. */
int http_connect(uint16_t port);

/* The GET of a path; the caller frees it. */
char *http_request_text(const char *path, size_t *len);

/* Writes all of it; false when the connection is broken. What is sent fits the socket's buffer. */
bool http_send(int fd, const char *text, size_t len);

/* An answer as it comes in. All-zero before its first byte. */
typedef struct http_answer {
    char head[1024];
    size_t head_len;
    bool has_head;
    int status;
    size_t body_left;
} http_answer;

enum http_progress { HTTP_MORE, HTTP_WHOLE, HTTP_BROKEN };

/* Reads what is there. */
enum http_progress http_receive(int fd, http_answer *a);

/* Waits for events of `epoll` until then, and returns their number. */
struct epoll_event;
int http_wait(int epoll, struct epoll_event *events, int max, uint64_t until_ns);

/* As epoll_ctl's EPOLL_CTL_ADD and _MOD. */
void http_watch(int epoll, int fd, uint32_t events, uint32_t number, bool is_new);

/* The value at a quantile from 0 to 1. Sorts the values. */
uint64_t http_quantile(uint64_t *values, size_t count, double quantile);

/* As many descriptors as the system allows. */
void http_raise_file_limit(void);

/* The commands. Arguments as in main.c. */
void http_backend(unsigned delay_ms);
void http_burst(uint16_t port, const char *path, size_t count);
void http_probe(uint16_t port, const char *path, unsigned per_second, unsigned seconds);

#endif
