# libextism.so and libextism.a: the host library for everybody's use. Its interface is the list of
# names in src/extism/libextism.sym.

set(extism_symbols ${CMAKE_SOURCE_DIR}/src/extism/libextism.sym)
set(extism_script ${CMAKE_BINARY_DIR}/generated/libextism.map)
file(STRINGS ${extism_symbols} names)
list(JOIN names ";\n        " names)
file(CONFIGURE OUTPUT ${extism_script} CONTENT "{
    global:
        @names@;
    local:
        *;
};
" @ONLY)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${extism_symbols})

set(extism_objects $<TARGET_OBJECTS:ubiq_extism>)
if(TARGET ubiq_base)
    set(base_objects $<TARGET_OBJECTS:ubiq_base>)
endif()

# Of the base layer, the shared library takes what it needs; the static one has all of it, since
# its user's linker does the choosing.
add_library(extism SHARED ${extism_objects})
set_target_properties(extism PROPERTIES
    LINKER_LANGUAGE C
    LINK_DEPENDS ${extism_script}
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}
    BUILD_WITH_INSTALL_RPATH ON
    INSTALL_RPATH "$ORIGIN"
    PUBLIC_HEADER
        "${CMAKE_SOURCE_DIR}/include/extism.h;${CMAKE_SOURCE_DIR}/include/extism_ext.h")
target_include_directories(extism INTERFACE ${CMAKE_SOURCE_DIR}/include)
target_link_options(extism PRIVATE -Wl,--version-script=${extism_script})
if(NOT SANITIZER)
    target_link_options(extism PRIVATE -Wl,-z,defs)
endif()
target_link_libraries(extism PRIVATE
    ubiq_options $<TARGET_NAME_IF_EXISTS:ubiq_base> PkgConfig::CURL PkgConfig::ZLIB wasmtime)

add_library(extism_static STATIC ${extism_objects} ${base_objects})
set_target_properties(extism_static PROPERTIES
    LINKER_LANGUAGE C
    OUTPUT_NAME extism
    ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
target_include_directories(extism_static INTERFACE ${CMAKE_SOURCE_DIR}/include)
target_link_libraries(extism_static INTERFACE
    PkgConfig::CURL PkgConfig::ZLIB PkgConfig::CRYPTO Threads::Threads wasmtime)

# The build tree's own extism.pc, and the one to install, which finds its files from where it is.
foreach(name extism extism-static)
    set(pc_libdir ${CMAKE_BINARY_DIR})
    set(pc_includedir ${CMAKE_SOURCE_DIR}/include)
    configure_file(${CMAKE_SOURCE_DIR}/cmake/${name}.pc.in ${CMAKE_BINARY_DIR}/${name}.pc @ONLY)
    set(pc_libdir "\${pcfiledir}/..")
    set(pc_includedir "\${pcfiledir}/../../include")
    configure_file(${CMAKE_SOURCE_DIR}/cmake/${name}.pc.in
        ${CMAKE_BINARY_DIR}/generated/${name}.pc @ONLY)
endforeach()
