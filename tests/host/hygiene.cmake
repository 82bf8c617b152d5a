# SPDX-License-Identifier: Apache-2.0
# What a host process keeps to itself, on each backend; the harness and the image are those of the
# conformance suite.
set(host_sources host_cycle.c host_state.c ../conformance/harness.c)

wc_add_test(hygiene_mock host SOURCES hygiene_test.c host_children.c host_watch.c ${host_sources}
  LINKS Threads::Threads ARGS mock SERIAL TIMEOUT 400)
add_test(NAME hygiene_process COMMAND hygiene_mock process)
wc_test_properties(hygiene_process host SERIAL TIMEOUT 600)

foreach(program hygiene_mock)
  add_dependencies(${program} testprog)
  if(TARGET wc-helper)
    add_dependencies(${program} wc-helper)
  endif()
endforeach()
