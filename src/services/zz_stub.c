#include "services/storage.h"
#include "services/events.h"
int storage_create(storage **out, store *s, const char *path, const storage_limits *limits, error *err){(void)s;(void)path;(void)limits;(void)err;*out=NULL;return 0;}
bool storage_submit(storage *s, storage_operation *o){(void)s;return operation_fail(&o->op,SERVICE_UNAVAILABLE,"no");}
void storage_destroy(storage *s){(void)s;}
int events_create(events **out, const events_options *o, error *err){(void)o;(void)err;*out=NULL;return 0;}
int events_start(events *e, error *err){(void)e;(void)err;return 0;}
bool events_emit(events *e, events_emission *o){(void)e;return operation_fail(&o->op,SERVICE_UNAVAILABLE,"no");}
void events_delivered(events *e, delivery *d, const char *p){(void)e;(void)d;(void)p;}
void events_postpone(events *e, delivery *d){(void)e;(void)d;}
void events_stop(events *e){(void)e;}
void events_destroy(events *e){(void)e;}
const char *storage_type(slice p){(void)p;return "application/octet-stream";}
