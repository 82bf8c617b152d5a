# SPDX-License-Identifier: Apache-2.0
# One suite, run on each backend.
add_executable(testprog testprog.c)
set_target_properties(testprog PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
target_compile_definitions(testprog PRIVATE _GNU_SOURCE)
target_compile_options(testprog PRIVATE -Os -Wall -Wextra)
target_link_options(testprog PRIVATE -static) # without sanitizers: it runs alone in its image

file(GLOB conformance_sources CONFIGURE_DEPENDS *.c)
list(FILTER conformance_sources EXCLUDE REGEX "/testprog\\.c$")
wc_add_test(conformance_mock conformance SOURCES ${conformance_sources}
  LINKS PkgConfig::JANSSON Threads::Threads ARGS mock TIMEOUT 300)
add_dependencies(conformance_mock testprog)
if(TARGET wc-helper)
  add_dependencies(conformance_mock wc-helper)
endif()

# Where networks of a host are its own.
add_test(NAME conformance_process COMMAND ${PROJECT_SOURCE_DIR}/tests/support/netns.sh
  $<TARGET_FILE:conformance_mock> process)
wc_test_properties(conformance_process conformance TIMEOUT 300)

add_test(NAME conformance_rootless COMMAND ${PROJECT_SOURCE_DIR}/tests/support/as_user.sh
  $<TARGET_FILE:conformance_mock> process)
wc_test_properties(conformance_rootless conformance TIMEOUT 300 SERIAL)

add_test(NAME conformance_crun COMMAND ${PROJECT_SOURCE_DIR}/tests/support/with_crun.sh
  $<TARGET_FILE:conformance_mock> process)
wc_test_properties(conformance_crun conformance TIMEOUT 300)
