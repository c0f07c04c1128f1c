find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl)
pkg_check_modules(CRYPTO REQUIRED IMPORTED_TARGET libcrypto)
pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET zlib)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(EVENT REQUIRED IMPORTED_TARGET libevent_core libevent_extra libevent_pthreads)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(CMOCKA IMPORTED_TARGET cmocka)

# The prebuilt library has no SONAME, so what links it must record its plain name.
add_library(wasmtime SHARED IMPORTED)
set_target_properties(wasmtime PROPERTIES
    IMPORTED_LOCATION ${WASMTIME_DIR}/lib/libwasmtime.so
    IMPORTED_NO_SONAME TRUE)
target_include_directories(wasmtime SYSTEM INTERFACE ${WASMTIME_DIR}/include)

# Beside what uses it, so that the build tree runs like an installed one.
configure_file(${WASMTIME_DIR}/lib/libwasmtime.so ${CMAKE_BINARY_DIR}/libwasmtime.so COPYONLY)
