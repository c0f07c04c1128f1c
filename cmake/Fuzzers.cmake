# Each tests/fuzz/fuzz_<name>.c defines LLVMFuzzerTestOneInput. Linked with replay.c it is a test
# that runs the inputs kept in tests/fuzz/corpus/<name>/. In a build for AddressSanitizer by clang
# it is also a libFuzzer program, fuzz_<name>, which a test runs for FUZZ_SECONDS from that corpus.

set(FUZZ_SECONDS 5 CACHE STRING "How long each fuzzer runs as a test")
set(fuzz_dir ${CMAKE_SOURCE_DIR}/tests/fuzz)

function(fuzz_program target)
    add_executable(${target} ${ARGN})
    target_link_libraries(${target} PRIVATE ubiq_options ${all_layers} wasmtime)
    target_include_directories(${target} PRIVATE ${fuzz_dir} ${CMAKE_BINARY_DIR}/generated)
    set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
endfunction()

file(GLOB fuzz_sources CONFIGURE_DEPENDS ${fuzz_dir}/fuzz_*.c)
foreach(source IN LISTS fuzz_sources)
    cmake_path(GET source STEM target)
    string(REGEX REPLACE "^fuzz_" "" name ${target})
    set(corpus ${fuzz_dir}/corpus/${name})
    # libFuzzer's entry point has no header that declares it.
    set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS -Wno-missing-prototypes)

    if(EXISTS ${fuzz_dir}/replay.c)
        fuzz_program(replay_${name} ${source} ${fuzz_dir}/replay.c)
        add_test(NAME replay_${name} COMMAND replay_${name} ${corpus})
        set_tests_properties(replay_${name} PROPERTIES
            LABELS "unit;fuzz" ENVIRONMENT "${sanitizer_environment}")
    endif()

    if(SANITIZER MATCHES address AND CMAKE_C_COMPILER_ID STREQUAL Clang)
        fuzz_program(${target} ${source})
        target_link_options(${target} PRIVATE -fsanitize=fuzzer)
        set(arguments -max_total_time=${FUZZ_SECONDS} -timeout=10 -rss_limit_mb=4096)
        foreach(dictionary ${fuzz_dir}/${name}.dict ${fuzz_dir}/dict/${name}.dict)
            if(EXISTS ${dictionary})
                list(APPEND arguments -dict=${dictionary})
            endif()
        endforeach()
        # What is found new goes to the build tree; the kept inputs are only read.
        set(found ${CMAKE_BINARY_DIR}/tests/found/${name})
        file(MAKE_DIRECTORY ${found})
        if(EXISTS ${corpus})
            list(APPEND found ${corpus})
        endif()
        add_test(NAME ${target} COMMAND ${target} ${arguments} ${found}
            WORKING_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
        set_tests_properties(${target} PROPERTIES
            LABELS "fuzz" ENVIRONMENT "${sanitizer_environment}")
    endif()
endforeach()

# Coverage for the fuzzers, in every file they reach.
if(fuzz_sources AND SANITIZER MATCHES address AND CMAKE_C_COMPILER_ID STREQUAL Clang)
    target_compile_options(ubiq_options INTERFACE -fsanitize=fuzzer-no-link)
    target_link_options(ubiq_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
