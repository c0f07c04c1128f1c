/* Twenty percent on what there is too much of. */

#include "shop.h"

UBIQ_EXPORT("discount") int32_t discount(void)
{
    ubiq_block customer, product;

    shop_order(&customer, &product);
    ubiq_output_text(shop_stock(product) > 500 ? "20" : "0");
    return 0;
}
