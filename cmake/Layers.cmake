# One static library a layer directory, and what is made of them. A layer without sources is left
# out, and so is what needs it.

# Makes the library ubiq_<layer> of src/<layer>/, if there is anything in it. The further arguments
# are what it links; ubiq_<layer>s among them that do not exist are skipped.
function(ubiq_layer layer)
    file(GLOB sources CONFIGURE_DEPENDS
        ${CMAKE_SOURCE_DIR}/src/${layer}/*.c ${CMAKE_SOURCE_DIR}/src/${layer}/*.cc)
    if(NOT sources)
        return()
    endif()
    add_library(ubiq_${layer} STATIC ${sources})
    target_link_libraries(ubiq_${layer} PUBLIC ubiq_options)
    foreach(library IN LISTS ARGN)
        if(TARGET ${library})
            target_link_libraries(ubiq_${layer} PUBLIC ${library})
        endif()
    endforeach()
endfunction()

ubiq_layer(base PkgConfig::CRYPTO Threads::Threads)
ubiq_layer(extism ubiq_base PkgConfig::CURL PkgConfig::ZLIB)
ubiq_layer(services ubiq_base PkgConfig::SQLITE)
ubiq_layer(app ubiq_services ubiq_extism)
ubiq_layer(server ubiq_app ubiq_extism PkgConfig::EVENT PkgConfig::ZLIB PkgConfig::ZSTD)
ubiq_layer(embed ubiq_server)
ubiq_layer(build ubiq_app)

# Wasmtime's types appear in this layer only, so its headers do too.
if(TARGET ubiq_extism)
    target_link_libraries(ubiq_extism PRIVATE wasmtime)
    if(EXISTS ${CMAKE_SOURCE_DIR}/src/extism/kernel/kernel.c)
        target_sources(ubiq_extism PRIVATE
            ${CMAKE_BINARY_DIR}/generated/extism/kernel_wasm.c
            ${CMAKE_BINARY_DIR}/generated/extism/kernel_wasm.h
            ${CMAKE_BINARY_DIR}/generated/extism/link_version.h)
        target_include_directories(ubiq_extism PRIVATE ${CMAKE_BINARY_DIR}/generated)
    endif()
    include(LibExtism)
endif()
if(TARGET ubiq_embed)
    include(LibUbiq)
endif()

file(GLOB cli_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/cli/*.c)
if(cli_sources)
    add_executable(ubiq ${cli_sources})
    target_link_libraries(ubiq PRIVATE ubiq_options)
    foreach(layer build server app services extism base)
        if(TARGET ubiq_${layer})
            target_link_libraries(ubiq PRIVATE ubiq_${layer})
        endif()
    endforeach()
    set_target_properties(ubiq PROPERTIES
        RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}
        BUILD_WITH_INSTALL_RPATH ON
        INSTALL_RPATH "$ORIGIN:$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
endif()
