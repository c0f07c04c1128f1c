/* Outbound HTTP of the calls that a driver has, on its curl multi handle. */

#include "extism/driver_internal.h"

#include "extism/http.h"

#include <stdlib.h>

struct driver_transfer {
    driver *driver;
    http_request *request;
    void (*done)(void *arg, int curl_code);
    void *arg;
    struct driver_transfer *next; /* among those that could not begin */
    bool failed;
};

static CURLMcode add(struct driver_transfer *t)
{
    CURL *easy = http_request_easy(t->request);
    CURLMcode code;

    curl_easy_setopt(easy, CURLOPT_PRIVATE, (void *)t);
    code = curl_multi_add_handle(t->driver->multi, easy);
    t->driver->transfers += code == CURLM_OK;
    return code;
}

static void end(struct driver_transfer *t, int curl_code)
{
    void (*done)(void *, int) = t->done;
    void *arg = t->arg;

    free(t);
    done(arg, curl_code);
}

/* Ends what curl is done with, or has it do the next exchange of the same request. */
static void end_exchange(driver *d, CURL *easy, int code)
{
    struct driver_transfer *t = NULL;

    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&t);
    curl_multi_remove_handle(d->multi, easy);
    d->transfers--;
    if (!http_request_again(t->request, code))
        end(t, code);
    else if (add(t) != CURLM_OK)
        end(t, CURLE_OUT_OF_MEMORY);
}

void driver_http_step(driver *d)
{
    struct CURLMsg *m;
    int left;

    while (d->failed) {
        struct driver_transfer *t = d->failed;

        d->failed = t->next;
        end(t, CURLE_OUT_OF_MEMORY);
    }
    if (d->transfers == 0)
        return;
    curl_multi_perform(d->multi, &left);
    while ((m = curl_multi_info_read(d->multi, &left))) {
        if (m->msg == CURLMSG_DONE)
            end_exchange(d, m->easy_handle, (int)m->data.result);
    }
}

static void *start(struct http_request *request, void (*done)(void *arg, int curl_code), void *arg)
{
    struct driver_transfer *t = calloc(1, sizeof *t);

    if (!t)
        return NULL;
    *t = (struct driver_transfer){
        .driver = driver_current(), .request = request, .done = done, .arg = arg};
    if (add(t) != CURLM_OK) {
        t->failed = true;
        t->next = t->driver->failed;
        t->driver->failed = t;
    }
    return t;
}

static void cancel(void *started)
{
    struct driver_transfer *t = started;
    struct driver_transfer **at = &t->driver->failed;

    if (!t->failed) {
        curl_multi_remove_handle(t->driver->multi, http_request_easy(t->request));
        t->driver->transfers--;
    } else {
        while (*at != t)
            at = &(*at)->next;
        *at = t->next;
    }
    free(t);
}

const http_driver driver_http = {.start = start, .cancel = cancel};
