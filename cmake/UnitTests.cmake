# Each tests/unit/test_<module>.c is a program and a test of its own; other sources there are compiled
# once and linked into all of them. They run in tests/unit/.

if(NOT CMOCKA_FOUND)
    return()
endif()

set(unit_dir ${CMAKE_SOURCE_DIR}/tests/unit)
set(all_layers ubiq_build ubiq_embed ubiq_server ubiq_app ubiq_services ubiq_extism ubiq_base)
list(TRANSFORM all_layers REPLACE "(.+)" "$<TARGET_NAME_IF_EXISTS:\\1>")

if(SANITIZER MATCHES "address|undefined|thread")
    set(sanitizer_environment
        "ASAN_OPTIONS=detect_stack_use_after_return=0:allocator_may_return_null=1"
        "UBSAN_OPTIONS=print_stacktrace=1"
        "TSAN_OPTIONS=halt_on_error=1:suppressions=${CMAKE_SOURCE_DIR}/tests/tsan_suppressions.txt")
endif()

file(GLOB unit_sources CONFIGURE_DEPENDS ${unit_dir}/*.c)
file(GLOB unit_tests CONFIGURE_DEPENDS ${unit_dir}/test_*.c)
if(unit_tests)
    list(REMOVE_ITEM unit_sources ${unit_tests})
endif()

add_library(unit_cases OBJECT ${unit_sources})
target_link_libraries(unit_cases PRIVATE ubiq_options wasmtime PkgConfig::CMOCKA)
set_target_properties(unit_cases PROPERTIES UBIQ_SHADOWS ON)
target_include_directories(unit_cases PRIVATE ${unit_dir} ${CMAKE_BINARY_DIR}/generated)

foreach(source IN LISTS unit_tests)
    cmake_path(GET source STEM name)
    add_executable(${name} ${source} $<TARGET_OBJECTS:unit_cases>)
    target_link_libraries(${name} PRIVATE ubiq_options ${all_layers} wasmtime PkgConfig::CMOCKA)
    set_target_properties(${name} PROPERTIES UBIQ_SHADOWS ON)
    target_include_directories(${name} PRIVATE ${unit_dir} ${CMAKE_BINARY_DIR}/generated)
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${unit_dir})
    set_tests_properties(${name} PROPERTIES
        LABELS unit ENVIRONMENT "${sanitizer_environment}")
endforeach()

# It lets allocations fail: those of our own code, since the libraries' are not linked here.
if(TARGET test_torture)
    foreach(name malloc calloc realloc strdup strndup asprintf vasprintf __asprintf_chk __vasprintf_chk)
        target_link_options(test_torture PRIVATE -Wl,--wrap=${name})
    endforeach()
endif()

if(TARGET extism AND NOT SANITIZER)
    add_test(NAME exported_symbols
        COMMAND ${CMAKE_SOURCE_DIR}/scripts/check_symbols.sh $<TARGET_FILE:extism>
                ${extism_symbols})
    set_tests_properties(exported_symbols PROPERTIES LABELS unit)
endif()
if(TARGET libubiq AND NOT SANITIZER)
    add_test(NAME exported_symbols_libubiq
        COMMAND ${CMAKE_SOURCE_DIR}/scripts/check_symbols.sh $<TARGET_FILE:libubiq> ${ubiq_symbols})
    set_tests_properties(exported_symbols_libubiq PROPERTIES LABELS unit)
endif()
