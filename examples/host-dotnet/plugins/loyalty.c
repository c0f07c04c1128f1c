/* Ten percent for customers with more than a hundred points. */

#include "shop.h"

UBIQ_EXPORT("discount") int32_t discount(void)
{
    ubiq_block customer, product;

    shop_order(&customer, &product);
    if (shop_points(customer) > 100) {
        shop_note(ubiq_block_of_text("thank you for being with us"));
        ubiq_output_text("10");
    } else {
        ubiq_output_text("0");
    }
    return 0;
}
