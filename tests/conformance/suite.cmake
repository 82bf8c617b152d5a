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

# wc_add_conformance(BACKEND [PLUGIN]): the same program for another backend.
function(wc_add_conformance backend)
  add_test(NAME conformance_${backend} COMMAND conformance_mock ${backend} ${ARGN})
  wc_test_properties(conformance_${backend} conformance TIMEOUT 300)
endfunction()
wc_add_conformance(process)
if(TARGET backend-null)
  wc_add_conformance(null $<TARGET_FILE:backend-null>)
endif()
