/* What a shop must expect of plug-ins too: it never comes to an end. */

#include "shop.h"

UBIQ_EXPORT("discount") int32_t discount(void)
{
    for (volatile int i = 0;; i++)
        ;
}
