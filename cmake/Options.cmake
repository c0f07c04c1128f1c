# What every file of ours is compiled with.

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

add_library(ubiq_options INTERFACE)
target_include_directories(ubiq_options INTERFACE
    ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/include)
target_compile_definitions(ubiq_options INTERFACE
    _GNU_SOURCE UBIQ_VERSION="${PROJECT_VERSION}")
target_compile_options(ubiq_options INTERFACE
    -Wall -Wextra -Wconversion
    # In a test a module is called module, and a call call: tests set UBIQ_SHADOWS.
    $<$<NOT:$<BOOL:$<TARGET_PROPERTY:UBIQ_SHADOWS>>>:-Wshadow>
    $<$<COMPILE_LANGUAGE:C>:-Wmissing-prototypes -Wstrict-prototypes>
    $<$<BOOL:${UBIQ_WERROR}>:-Werror>
    -fno-strict-aliasing)
target_link_options(ubiq_options INTERFACE -Wl,--as-needed -Wl,-z,relro,-z,now)

if(SANITIZER)
    target_compile_options(ubiq_options INTERFACE
        -fsanitize=${SANITIZER} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(ubiq_options INTERFACE -fsanitize=${SANITIZER})
else()
    target_compile_options(ubiq_options INTERFACE -fstack-protector-strong)
    target_compile_definitions(ubiq_options INTERFACE
        $<$<CONFIG:RelWithDebInfo,Release>:_FORTIFY_SOURCE=2>)
endif()
