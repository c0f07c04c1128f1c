#include "groups.h"

const case_group *const case_groups[] = {
    &call_cases, &error_cases, &input_cases, &kernel_cases, &var_cases, &config_cases, &handle_cases, &import_cases, &bad_module_cases, &trap_cases, &link_cases, &manifest_cases, &start_cases, &api_cases, &wasi_cases, &wasi_path_cases, &host_cases, &host_more_cases, &compiled_cases, &cancel_cases, &fuel_cases, &limit_cases, &log_cases,
    NULL,
};
