#ifndef BENCH_FAIL_H
#define BENCH_FAIL_H

/* Says on stderr what went wrong and ends the process. */
void fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

#endif
