# SPDX-License-Identifier: Apache-2.0
foreach(area core json toml digest cancel)
  wc_add_test(unit_${area} unit SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_${area}.c INTERNAL)
endforeach()
