#ifndef UBIQ_BUILD_TEMPLATES_H
#define UBIQ_BUILD_TEMPLATES_H

#include <stddef.h>

/* The files in templates/, which the build turns into arrays (cmake/Templates.cmake). */

extern const unsigned char template_c[], template_cpp[], template_rs[], template_go[];
extern const unsigned char template_js[], template_ts[], template_toml[], template_gitignore[];
extern const size_t template_c_len, template_cpp_len, template_rs_len, template_go_len;
extern const size_t template_js_len, template_ts_len, template_toml_len, template_gitignore_len;

#endif
