#include "build/builder.h"

const builder *const builders[] = {&builder_c,  &builder_cpp,        &builder_rust,
                                   &builder_go, &builder_javascript, NULL};
