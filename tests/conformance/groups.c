#include "groups.h"

const case_group *const case_groups[] = {
    &api_cases,       &call_cases,        &error_cases,
    &input_cases,     &kernel_cases,      &handle_cases,
    &var_cases,       &config_cases,      &manifest_cases,
    &link_cases,      &import_cases,      &bad_module_cases,
    &trap_cases,      &start_cases,       &limit_cases,
    &fuel_cases,      &cancel_cases,      &host_cases,
    &host_more_cases, &compiled_cases,    &log_cases,
    &http_cases,      &http_module_cases, &wasi_cases,
    &wasi_path_cases, &pdk_cases,         NULL,
};
