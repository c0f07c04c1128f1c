# libubiq.so: the platform for other programs to embed. Its interface is the list of names in
# src/embed/libubiq.sym.

set(ubiq_symbols ${CMAKE_SOURCE_DIR}/src/embed/libubiq.sym)
set(ubiq_script ${CMAKE_BINARY_DIR}/generated/libubiq.map)
file(STRINGS ${ubiq_symbols} names)
list(JOIN names ";\n        " names)
file(CONFIGURE OUTPUT ${ubiq_script} CONTENT "{
    global:
        @names@;
    local:
        *;
};
" @ONLY)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${ubiq_symbols})

add_library(libubiq SHARED $<TARGET_OBJECTS:ubiq_embed>)
set_target_properties(libubiq PROPERTIES
    OUTPUT_NAME ubiq
    LINKER_LANGUAGE CXX
    LINK_DEPENDS ${ubiq_script}
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}
    BUILD_WITH_INSTALL_RPATH ON
    INSTALL_RPATH "$ORIGIN"
    PUBLIC_HEADER ${CMAKE_SOURCE_DIR}/include/libubiq.h)
target_include_directories(libubiq INTERFACE ${CMAKE_SOURCE_DIR}/include)
# Not to be unloaded: SQLite, which the program may use too, knows the VFS in it.
target_link_options(libubiq PRIVATE -Wl,--version-script=${ubiq_script} -Wl,-z,nodelete)
if(NOT SANITIZER)
    target_link_options(libubiq PRIVATE -Wl,-z,defs)
endif()
target_link_libraries(libubiq PRIVATE ubiq_options ubiq_server wasmtime)

# The build tree's own libubiq.pc, and the one to install, which finds its files from where it is.
set(pc_libdir ${CMAKE_BINARY_DIR})
set(pc_includedir ${CMAKE_SOURCE_DIR}/include)
configure_file(${CMAKE_SOURCE_DIR}/cmake/libubiq.pc.in ${CMAKE_BINARY_DIR}/libubiq.pc @ONLY)
set(pc_libdir "\${pcfiledir}/..")
set(pc_includedir "\${pcfiledir}/../../include")
configure_file(${CMAKE_SOURCE_DIR}/cmake/libubiq.pc.in ${CMAKE_BINARY_DIR}/generated/libubiq.pc @ONLY)
