#include "extism/http_address.h"
#include "extism/http_internal.h"
#include "extism/limits.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* Which connections a request under a policy may use. curl looks the host up; what is judged is the
 * address that it is about to connect to, or that a connection is connected to which it has kept. So
 * neither a name that changes its address nor a connection that another function may use, and this one
 * not, gets past it. */

/* Whether the policy lets the request go to the address; if not, r->obstacle says so. */
static bool may_reach(http_request *r, int family, const void *address)
{
    char text[INET6_ADDRSTRLEN] = "";

    if (http_address_is_public(family, address))
        return true;
    inet_ntop(family, address, text, sizeof text);
    error_deinit(&r->obstacle);
    return http_ask(r, HTTP_ASK_ADDRESS, slice_str(text), &r->obstacle) == 0;
}

/* Leaves some descriptors for clients and files, by taking EMFILE to come earlier. Descriptors are given
 * out from below, so a high one says that there are few left. */
static int new_socket(const struct curl_sockaddr *a)
{
    struct rlimit limit;
    int fd = socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);

    if (fd < 0 || getrlimit(RLIMIT_NOFILE, &limit) ||
        limit.rlim_cur < 8 * LIMIT_SPARE_DESCRIPTORS ||
        (rlim_t)fd < limit.rlim_cur - LIMIT_SPARE_DESCRIPTORS)
        return fd;
    close(fd);
    errno = EMFILE;
    return -1;
}

static curl_socket_t open_socket(void *user, curlsocktype purpose, struct curl_sockaddr *a)
{
    const void *address = &((const struct sockaddr_in *)(const void *)&a->addr)->sin_addr;
    http_request *r = user;
    int fd;

    (void)purpose;
    if (a->family == AF_INET6)
        address = &((const struct sockaddr_in6 *)(const void *)&a->addr)->sin6_addr;
    if (!may_reach(r, a->family, address))
        return CURL_SOCKET_BAD;
    fd = new_socket(a);
    if (fd >= 0)
        r->opened = true;
    else
        error_set(&r->obstacle, errno == EMFILE || errno == ENFILE ? E_BUSY : E_IO,
                  "io: %s (os error %d)", strerrordesc_np(errno), errno);
    return fd;
}

/* Asked once a connection is there, new or kept. */
static int before_request(void *user, char *address, char *own_address, int port, int own_port)
{
    http_request *r = user;
    struct in6_addr bytes;
    int family = strchr(address, ':') ? AF_INET6 : AF_INET;

    (void)own_address, (void)port, (void)own_port;
    if (inet_pton(family, address, &bytes) == 1 && may_reach(r, family, &bytes))
        return CURL_PREREQFUNC_OK;
    r->unfit = !r->opened;
    return CURL_PREREQFUNC_ABORT;
}

int http_connect_init(http_request *r, error *err)
{
    CURL *easy = r->easy;

    if (!r->policy)
        return 0;
    /* A proxy would look the host up by itself. */
    if (curl_easy_setopt(easy, CURLOPT_PROXY, "") ||
        curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket) ||
        curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, (void *)r) ||
        curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, before_request) ||
        curl_easy_setopt(easy, CURLOPT_PREREQDATA, (void *)r))
        return error_set(err, E_NO_MEMORY, "an HTTP request");
    return 0;
}
