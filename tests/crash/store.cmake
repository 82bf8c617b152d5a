# SPDX-License-Identifier: Apache-2.0
wc_add_test(store_crash_test crash SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/store_crash.c INTERNAL
  ARGS 100 TIMEOUT 300)
add_test(NAME store_crash_long_test COMMAND store_crash_test 3000)
wc_test_properties(store_crash_long_test crash LONG TIMEOUT 3600)
