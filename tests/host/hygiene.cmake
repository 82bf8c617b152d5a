# SPDX-License-Identifier: Apache-2.0
# What a host process keeps to itself, and what it may fork, on each backend. Harness and image are
# those of the conformance suite.
file(GLOB fork_try CONFIGURE_DEPENDS fork_try_*.c)
set(host_sources host_cycle.c ../conformance/harness.c)

wc_add_test(hygiene_mock host SOURCES hygiene_test.c host_children.c host_state.c host_watch.c ${host_sources}
  LINKS Threads::Threads ARGS mock SERIAL TIMEOUT 600)
wc_add_test(fork_mock host SOURCES fork_test.c fork_handles.c ${fork_try} ${host_sources}
  LINKS Threads::Threads ARGS mock SERIAL TIMEOUT 600)

foreach(test hygiene fork)
  add_test(NAME ${test}_process COMMAND ${test}_mock process)
  wc_test_properties(${test}_process host SERIAL TIMEOUT 600)
  add_dependencies(${test}_mock testprog)
  if(TARGET wc-helper)
    add_dependencies(${test}_mock wc-helper)
  endif()
endforeach()
