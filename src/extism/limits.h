#ifndef UBIQ_EXTISM_LIMITS_H
#define UBIQ_EXTISM_LIMITS_H

/* Every limit of the host library and its default, in bytes unless it says otherwise. */

#define LIMIT_VAR_BYTES (1024 * 1024)                /* manifest memory.max_var_bytes */
#define LIMIT_HTTP_RESPONSE_BYTES (50 * 1024 * 1024) /* manifest memory.max_http_response_bytes */
/* A request of a guest makes no connection over these last descriptors of the process. */
#define LIMIT_SPARE_DESCRIPTORS 128
#define LIMIT_MODULE_BYTES (512UL * 1024 * 1024)     /* a module, from a file or over HTTP */
#define LIMIT_MANIFEST_BYTES (1024UL * 1024 * 1024)  /* a manifest with its modules in base64 */
#define LIMIT_ERROR_BYTES (1024 * 1024) /* of a guest's error text within the error of its call */
#define LIMIT_HTTP_AT_ONCE 5 /* requests of one call that run; the others wait for their turn, */
#define LIMIT_HTTP_CALLS 100 /* as long as there are not more of them */
#define LIMIT_HTTP_CALLS_KEPT 1000 /* with those that were too much, until the guest has taken them */
#define LIMIT_LOG_LINES 65536 /* buffered for extism_log_drain; the oldest go first */

/* The pooled engine. What does not fit runs on the engine that allocates on demand. */
#define LIMIT_POOLED_INSTANCES 1000 /* at once, unless engine_set_instances says otherwise */
#define LIMIT_POOLED_INSTANCES_MAX 100000
/* Address space for one: two memories of 4 GiB with their guards, a stack, tables. With room to spare,
 * as it is tried out before the engine takes it. */
#define LIMIT_POOLED_ADDRESS_SPACE (2 * (4UL * 1024 + 64) * 1024 * 1024 + (64UL * 1024 * 1024))
/* Instances of a host's calls that are in none of these slots, at least. */
#define LIMIT_UNPOOLED_INSTANCES 256
/* Of the mappings that the system lets a process have, those for all that is no instance in a slot. */
#define LIMIT_OTHER_MAPPINGS 4000
#define LIMIT_POOLED_MEMORIES 8     /* of a module, the kernel's included */
#define LIMIT_POOLED_TABLES 8       /* of a module */
#define LIMIT_POOLED_TABLE_ELEMENTS 100000
#define LIMIT_POOLED_RESIDENT (256UL * 1024) /* of a freed slot, where the engine can find it */
#define LIMIT_POOLED_INSTANCE_BYTES (4UL * 1024 * 1024) /* of the engine's own data about one */

/* Native stack: what a guest may use, and what is left then for the host's functions. */
#define LIMIT_GUEST_STACK (512UL * 1024)
#define LIMIT_HOST_STACK (256UL * 1024)
#define LIMIT_FIBER_STACK (1024UL * 1024) /* of a call that may wait: the guest's and twice the host's */

#define LIMIT_TABLE_ELEMENTS 1000000 /* of each table, on any engine */

#define LIMIT_DRIVERS 16 /* threads for the calls of extism_ext.h, fewer on fewer processors */

/* Instances that wait to be used again. */
#define LIMIT_IDLE_INSTANCES 64          /* of one plug-in */
#define LIMIT_IDLE_KEPT 32               /* of all, whatever time they have not been used for */
#define LIMIT_IDLE_TRIMMED 250           /* that one engine_trim gives back */
#define LIMIT_IMAGE_PAGES 4096           /* a module's memories, each page of which is read once */
#define LIMIT_RESET_BYTES (1024 * 1024)  /* written memory over which a new one is cheaper */
#define LIMIT_KERNEL_RESIDENT (1024 * 1024) /* kernel memory that a kept plug-in keeps as it is */
#define SLACK_PAGES 16                   /* see wasm_link.h */
/* Active data of a module up to which it is copied into a new instance. More of it is mapped, which
 * costs an instance two of the mappings that the system allows, and no memory until it is touched. */
#define LIMIT_COPIED_DATA (16UL * 1024)

#endif
