#ifndef CONFORMANCE_GROUPS_H
#define CONFORMANCE_GROUPS_H

#include "case.h"

/* Every group of cases; ended by NULL. */
extern const case_group *const case_groups[];

extern const case_group api_cases;
extern const case_group bad_module_cases;
extern const case_group call_cases;
extern const case_group cancel_cases;
extern const case_group compiled_cases;
extern const case_group config_cases;
extern const case_group error_cases;
extern const case_group fuel_cases;
extern const case_group handle_cases;
extern const case_group host_cases;
extern const case_group host_more_cases;
extern const case_group http_cases;
extern const case_group http_module_cases;
extern const case_group import_cases;
extern const case_group input_cases;
extern const case_group kernel_cases;
extern const case_group limit_cases;
extern const case_group link_cases;
extern const case_group log_cases;
extern const case_group manifest_cases;
extern const case_group pdk_cases;
extern const case_group start_cases;
extern const case_group trap_cases;
extern const case_group var_cases;
extern const case_group wasi_cases;
extern const case_group wasi_path_cases;

#endif
