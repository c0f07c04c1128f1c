# The JavaScript runtime: compiled to WebAssembly (scripts/javascript.sh), initialised (guest/runtime/
# snapshot.c) and put into the library ubiq_javascript_runtime, for whoever builds JavaScript functions or
# serves them.

set(js_dir ${CMAKE_SOURCE_DIR}/guest/runtime/javascript)
set(js_out ${CMAKE_BINARY_DIR}/generated/javascript)
file(MAKE_DIRECTORY ${js_out})
file(GLOB js_sources CONFIGURE_DEPENDS ${js_dir}/*.c ${js_dir}/*.h)
file(GLOB js_preludes CONFIGURE_DEPENDS ${js_dir}/prelude/*.js)

add_executable(snapshot ${CMAKE_SOURCE_DIR}/guest/runtime/snapshot.c)
target_link_libraries(snapshot PRIVATE ubiq_options ubiq_extism ubiq_base)
set_target_properties(snapshot PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/generated
    BUILD_WITH_INSTALL_RPATH ON
    INSTALL_RPATH "$ORIGIN/..")

add_custom_command(
    OUTPUT ${js_out}/raw.wasm
    COMMAND ${CMAKE_SOURCE_DIR}/scripts/javascript.sh ${js_out}/raw.wasm
    DEPENDS ${js_sources} ${CMAKE_SOURCE_DIR}/scripts/javascript.sh ${CMAKE_SOURCE_DIR}/scripts/pins
    COMMENT "Compiling the JavaScript runtime"
    VERBATIM)
add_custom_command(
    OUTPUT ${js_out}/runtime.wasm ${js_out}/runtime_name.h
    COMMAND ${CMAKE_COMMAND} -E env "ASAN_OPTIONS=detect_leaks=0" $<TARGET_FILE:snapshot>
            ${js_out}/raw.wasm ${js_out}/runtime.wasm ${js_out}/runtime_name.h js ${js_preludes}
    DEPENDS snapshot ${js_out}/raw.wasm ${js_preludes}
    COMMENT "Initialising the JavaScript runtime"
    VERBATIM)
add_custom_target(js_runtime DEPENDS ${js_out}/runtime.wasm ${js_out}/runtime_name.h)

# src/app/runtimes.c has it inside.
target_include_directories(ubiq_app PRIVATE ${CMAKE_BINARY_DIR}/generated)
add_dependencies(ubiq_app js_runtime)
set_source_files_properties(${CMAKE_SOURCE_DIR}/src/app/runtimes.c PROPERTIES
    COMPILE_DEFINITIONS "RUNTIME_JS_PATH=\"${js_out}/runtime.wasm\""
    OBJECT_DEPENDS "${js_out}/runtime.wasm;${js_out}/runtime_name.h")

