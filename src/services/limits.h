#ifndef UBIQ_SERVICES_LIMITS_H
#define UBIQ_SERVICES_LIMITS_H

/* Every limit of the services, in bytes unless it says otherwise. */

/* Defaults of what a project's limits may change. */
#define LIMIT_KV_KEY_BYTES 256
#define LIMIT_KV_VALUE_BYTES (1024UL * 1024)
#define LIMIT_KV_TOTAL_BYTES (100UL * 1024 * 1024)
#define LIMIT_KV_KEYS 100000
#define LIMIT_STORAGE_FILE_BYTES (10UL * 1024 * 1024)
#define LIMIT_STORAGE_TOTAL_BYTES (1024UL * 1024 * 1024)
#define LIMIT_STORAGE_FILES 100000

#define LIMIT_STORAGE_PATH 1024

/* Lists. */
#define LIMIT_LIST 1000           /* items that one list may have */
#define LIMIT_LIST_ROWS 1000      /* looked at in a turn, before others have theirs */
#define LIMIT_LIST_KEY_BYTES 1024 /* the longest key of any list */

/* The store. */
#define LIMIT_STORE_GROUP 512                       /* writes in one transaction */
#define LIMIT_STORE_GROUP_BYTES (4UL * 1024 * 1024) /* or what they weigh */
#define LIMIT_STORE_WAITING_BYTES (256UL * 1024 * 1024) /* of writes for guests that wait: busy */
#define LIMIT_STORE_STATEMENTS 64                   /* of a connection */
#define LIMIT_STORE_WRITER_BUSY_MS 5000 /* until another process lets go of the database */
#define LIMIT_STORE_READER_BUSY_MS 500
#define LIMIT_STORE_READER_WAIT_MS 50 /* for those who read a log that has become long */
#define LIMIT_STORE_TURN_NS 1000000 /* for which reads share a transaction */
#define LIMIT_STORE_PAGE_BYTES 2048
#define LIMIT_STORE_LOG_PAGES 8192 /* of SQLite's log, before they are taken into the database */
#define LIMIT_STORE_LOG_BUFFER_BYTES (64 * 1024) /* written to it at once */
#define LIMIT_STORE_WRITER_CACHE_KIB 16384
#define LIMIT_STORE_CHECKED_BYTES                                                                  \
    (16UL * 1024 * 1024) /* files up to this are checked when opened */

/* Keys whose time is over are removed at most so many at once and so often. */
#define LIMIT_KV_PURGE_ROWS 256
#define LIMIT_KV_PURGE_MS 1000

#define LIMIT_STORAGE_THREADS 4
#define LIMIT_STORAGE_WAITING_BYTES (256UL * 1024 * 1024) /* of contents to be written: busy */
#define LIMIT_STORAGE_AT_ONCE_BYTES                                                                \
    (64UL * 1024) /* read in the asker's thread if it is in memory */

/* Events. */
#define LIMIT_EVENT_PROBLEM_BYTES (4UL * 1024)          /* of a failed delivery's text */
#define LIMIT_EVENT_INPUT_BYTES (128UL * 1024 * 1024)   /* what a function is given */
#define LIMIT_EVENTS_TOTAL_BYTES (1024UL * 1024 * 1024) /* payloads that wait or are dead letters */
#define LIMIT_EVENTS_OWNERS 256      /* processes that deliver events of one project */
#define LIMIT_EVENTS_POLL_MS 1000    /* how soon what other processes did is noticed */
#define LIMIT_EVENTS_POSTPONE_MS 100 /* until a delivery is tried again that was not begun */
#define LIMIT_EVENTS_RETRY_MS 1000   /* until the store is tried again after it failed */

/* Cron. */
#define LIMIT_CRON_TICKS 100 /* of a line and function that wait, and as many dead letters */
#define LIMIT_CRON_LINE_BYTES 512
#define LIMIT_TIME_ZONE_NAME_BYTES 64
#define LIMIT_TIME_ZONE_FILE_BYTES (1024UL * 1024)

#endif
