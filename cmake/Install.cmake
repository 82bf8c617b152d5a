# SPDX-License-Identifier: Apache-2.0
# What an installation holds: library, headers, exported target, .pc, helper, wcctl, man page,
# completions.
include(CMakePackageConfigHelpers)

install(TARGETS wincontainer EXPORT wincontainer-targets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY include/wincontainer DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
if(TARGET wc-helper)
  install(TARGETS wc-helper RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/wincontainer)
endif()
if(TARGET wcctl)
  if(UNIX AND NOT WC_STATIC_PROGRAMS AND NOT IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}") # any prefix will do, also before ldconfig
    file(RELATIVE_PATH to_lib "/p/${CMAKE_INSTALL_BINDIR}" "/p/${CMAKE_INSTALL_LIBDIR}")
    set_target_properties(wcctl PROPERTIES INSTALL_RPATH "$ORIGIN/${to_lib}")
  endif()
  install(TARGETS wcctl RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  install(FILES examples/wcctl/wcctl.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
  install(FILES examples/wcctl/completions/wcctl.bash RENAME wcctl
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
  install(FILES examples/wcctl/completions/_wcctl DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
  install(FILES examples/wcctl/completions/wcctl.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
  if(CMAKE_SYSTEM_NAME STREQUAL "Linux") # not enabled: that is the administrator's to say
    configure_file(cmake/systemd/wincontainer-restore.service.in wincontainer-restore.service @ONLY)
    install(FILES ${CMAKE_CURRENT_BINARY_DIR}/wincontainer-restore.service DESTINATION lib/systemd/system)
  endif()
endif()

# The exported target wincontainer::wincontainer.
install(EXPORT wincontainer-targets NAMESPACE wincontainer::
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/wincontainer)
configure_package_config_file(cmake/wincontainer-config.cmake.in
  ${CMAKE_CURRENT_BINARY_DIR}/wincontainer-config.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/wincontainer)
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/wincontainer-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/wincontainer-config.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/wincontainer-config-version.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/wincontainer)

# Relative to the prefix where the directories are, absolute where the user made them so.
foreach(dir LIBDIR INCLUDEDIR)
  if(IS_ABSOLUTE "${CMAKE_INSTALL_${dir}}")
    set(WC_PC_${dir} "${CMAKE_INSTALL_${dir}}")
  else()
    set(WC_PC_${dir} "\${prefix}/${CMAKE_INSTALL_${dir}}")
  endif()
endforeach()
configure_file(pkgconfig/wincontainer.pc.in wincontainer.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/wincontainer.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
