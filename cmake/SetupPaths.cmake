# Takes over what scripts/setup.sh has put in place. A WASMTIME_DIR that is given names a Wasmtime
# C API tree to use in place of the pinned one.

set(WASMTIME_DIR "$ENV{WASMTIME_DIR}" CACHE PATH
    "A Wasmtime C API tree (include/, lib/); empty for the pinned one")

set(ENV{WASMTIME_DIR} "${WASMTIME_DIR}")
execute_process(
    COMMAND ${CMAKE_SOURCE_DIR}/scripts/setup.sh paths
    OUTPUT_VARIABLE setup_paths
    COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[^\n]+" setup_paths "${setup_paths}")
foreach(line IN LISTS setup_paths)
    if(line MATCHES "^([A-Z_]+)=(.*)$")
        set(${CMAKE_MATCH_1} "${CMAKE_MATCH_2}")
    endif()
endforeach()

set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
    ${CMAKE_SOURCE_DIR}/scripts/pins ${CMAKE_SOURCE_DIR}/scripts/setup.sh)

if(NOT EXISTS ${WASMTIME_DIR}/include/wasmtime.h)
    message(FATAL_ERROR "There is no Wasmtime in ${WASMTIME_DIR}: run scripts/setup.sh")
endif()
