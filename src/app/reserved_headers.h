#ifndef UBIQ_APP_RESERVED_HEADERS_H
#define UBIQ_APP_RESERVED_HEADERS_H

#include "base/slice.h"

/* Whether a header of this name, in any case, is for the server alone to set: it frames the message, or
 * is about the connection. */
bool reserved_headers_has(slice name);

#endif
