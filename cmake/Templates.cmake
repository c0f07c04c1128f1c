# Turns the files in src/build/templates, with which projects and functions begin, into C arrays that
# build/templates.h declares: function.rs is template_rs.

set(templates_out ${CMAKE_BINARY_DIR}/generated/templates)
file(MAKE_DIRECTORY ${templates_out})
file(GLOB templates CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/build/templates/*)
foreach(template IN LISTS templates)
    string(REGEX REPLACE ".*[/.]" "template_" name ${template})
    add_custom_command(
        OUTPUT ${templates_out}/${name}.c
        COMMAND ${CMAKE_COMMAND} -D in=${template} -D out=${templates_out} -D name=${name}
                -P ${CMAKE_SOURCE_DIR}/cmake/Embed.cmake
        DEPENDS ${template} ${CMAKE_SOURCE_DIR}/cmake/Embed.cmake
        COMMENT "Embedding ${name}"
        VERBATIM)
    target_sources(ubiq_build PRIVATE ${templates_out}/${name}.c)
endforeach()
