# SPDX-License-Identifier: Apache-2.0
wc_add_test(hostile_users hostile SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_hostile_users.c INTERNAL)
