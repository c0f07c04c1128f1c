#ifndef SHOP_H
#define SHOP_H

/* What the shop offers to its plug-ins. */

#include "ubiq.h"

UBIQ_IMPORT("extism:host/user", "stock") int64_t shop_stock(ubiq_block product);
UBIQ_IMPORT("extism:host/user", "points") int64_t shop_points(ubiq_block customer);
UBIQ_IMPORT("extism:host/user", "note") void shop_note(ubiq_block text);

/* The customer and the product of the order: the input's two lines, as blocks for the shop. */
static inline void shop_order(ubiq_block *customer, ubiq_block *product)
{
    static char text[256];
    size_t size = ubiq_input_read(0, text, sizeof text), first = 0;

    while (first < size && text[first] != '\n')
        first++;
    *customer = ubiq_block_of(text, first);
    *product = ubiq_block_of(text + first + 1, first < size ? size - first - 1 : 0);
}

#endif
