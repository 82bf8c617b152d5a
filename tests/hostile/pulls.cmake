# SPDX-License-Identifier: Apache-2.0
wc_add_test(hostile_pulls hostile SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_hostile_pulls.c INTERNAL)
