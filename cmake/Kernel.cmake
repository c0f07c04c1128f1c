# Compiles src/extism/kernel/kernel.c to WebAssembly and turns it into the C array `kernel_wasm` of
# `kernel_wasm_len` bytes, declared in extism/kernel_wasm.h. flags.cmake beside the source may
# change KERNEL_CFLAGS and KERNEL_LDFLAGS.

set(kernel_dir ${CMAKE_SOURCE_DIR}/src/extism/kernel)
if(NOT EXISTS ${kernel_dir}/kernel.c)
    return()
endif()

find_program(KERNEL_CLANG NAMES clang-14 clang REQUIRED)
set(KERNEL_CFLAGS -O2 -std=c17 -mbulk-memory -Wall -Wextra -Werror)
set(KERNEL_LDFLAGS -Wl,--no-entry -Wl,--strip-all)
include(${kernel_dir}/flags.cmake OPTIONAL)

set(kernel_out ${CMAKE_BINARY_DIR}/generated/extism)
file(MAKE_DIRECTORY ${kernel_out})
file(GLOB kernel_headers CONFIGURE_DEPENDS ${kernel_dir}/*.h)
add_custom_command(
    OUTPUT ${kernel_out}/kernel.wasm
    COMMAND ${KERNEL_CLANG} --target=wasm32 -ffreestanding -nostdlib ${KERNEL_CFLAGS}
            ${KERNEL_LDFLAGS} ${kernel_dir}/kernel.c -o ${kernel_out}/kernel.wasm
    DEPENDS ${kernel_dir}/kernel.c ${kernel_headers}
    COMMENT "Compiling the kernel to WebAssembly"
    VERBATIM)
add_custom_command(
    OUTPUT ${kernel_out}/kernel_wasm.c ${kernel_out}/kernel_wasm.h
    COMMAND ${CMAKE_COMMAND} -D in=${kernel_out}/kernel.wasm -D out=${kernel_out}
            -D name=kernel_wasm -P ${CMAKE_SOURCE_DIR}/cmake/Embed.cmake
    DEPENDS ${kernel_out}/kernel.wasm ${CMAKE_SOURCE_DIR}/cmake/Embed.cmake
    COMMENT "Embedding the kernel"
    VERBATIM)

# What becomes of a module before it is compiled is what these files say: compiled code that is kept from
# another version of them is not for this one.
file(GLOB link_sources CONFIGURE_DEPENDS
    ${CMAKE_SOURCE_DIR}/src/extism/wasm_*.[ch] ${CMAKE_SOURCE_DIR}/src/extism/module.[ch])
list(JOIN link_sources "," link_names)
add_custom_command(
    OUTPUT ${kernel_out}/link_version.h
    COMMAND ${CMAKE_COMMAND} -D sources=${link_names} -D out=${kernel_out}/link_version.h
            -D name=LINK_VERSION -P ${CMAKE_SOURCE_DIR}/cmake/Digest.cmake
    DEPENDS ${link_sources} ${CMAKE_SOURCE_DIR}/cmake/Digest.cmake
    COMMENT "Digesting the linker"
    VERBATIM)
