#include "extism/http_easy.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t kept; /* the calling thread's idle handle */
static atomic_bool ready;

static void initialize(void)
{
    ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK &&
            pthread_key_create(&kept, curl_easy_cleanup) == 0;
}

/* A host may unload the library while threads go on; none of them may come back here when it
 * ends. */
__attribute__((destructor)) static void forget_key(void)
{
    if (atomic_exchange(&ready, false))
        pthread_key_delete(kept);
}

CURL *http_easy_take(void)
{
    CURL *easy;

    if (pthread_once(&once, initialize) || !ready)
        return NULL;
    easy = pthread_getspecific(kept);
    if (easy)
        pthread_setspecific(kept, NULL);
    return easy ? easy : curl_easy_init();
}

void http_easy_give(CURL *easy)
{
    if (!easy)
        return;
    curl_easy_reset(easy); /* the connections stay */
    if (!ready || pthread_getspecific(kept) || pthread_setspecific(kept, easy))
        curl_easy_cleanup(easy);
}
