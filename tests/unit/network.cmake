# SPDX-License-Identifier: Apache-2.0
wc_add_test(network_test unit SOURCES ${CMAKE_CURRENT_LIST_DIR}/network_test.c INTERNAL)
