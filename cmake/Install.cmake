if(TARGET extism)
    install(TARGETS extism extism_static
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
        PUBLIC_HEADER DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
    install(FILES
        ${CMAKE_BINARY_DIR}/generated/extism.pc ${CMAKE_BINARY_DIR}/generated/extism-static.pc
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endif()
if(TARGET libubiq)
    install(TARGETS libubiq
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
        PUBLIC_HEADER DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
    install(FILES ${CMAKE_BINARY_DIR}/generated/libubiq.pc
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endif()
if(TARGET ubiq)
    install(TARGETS ubiq RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(PROGRAMS ${CMAKE_BINARY_DIR}/libwasmtime.so DESTINATION ${CMAKE_INSTALL_LIBDIR})
# `ubiq build` finds it from where the program is.
install(DIRECTORY
    ${CMAKE_SOURCE_DIR}/guest/c ${CMAKE_SOURCE_DIR}/guest/rust ${CMAKE_SOURCE_DIR}/guest/go
    ${CMAKE_SOURCE_DIR}/guest/javascript
    DESTINATION ${CMAKE_INSTALL_DATADIR}/ubiq/guest
    PATTERN target EXCLUDE PATTERN Cargo.lock EXCLUDE)
file(GLOB man_pages CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/docs/man/*.1)
install(FILES ${man_pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR}
    FILES_MATCHING PATTERN "*.md" PATTERN man EXCLUDE)
