#include "services/storage.h"
int storage_create(storage **out, store *s, const char *path, const storage_limits *limits, error *err){(void)s;(void)path;(void)limits;(void)err;*out=NULL;return 0;}
bool storage_submit(storage *s, storage_operation *o){(void)s;return operation_fail(&o->op,SERVICE_UNAVAILABLE,"no");}
void storage_destroy(storage *s){(void)s;}
const char *storage_type(slice p){(void)p;return "application/octet-stream";}
