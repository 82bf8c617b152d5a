# SPDX-License-Identifier: Apache-2.0
wc_add_test(hostile_layers hostile SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_hostile_layers.c
            ${CMAKE_CURRENT_LIST_DIR}/test_hostile_streams.c
            ${CMAKE_CURRENT_LIST_DIR}/test_hostile_chunked.c
            ${CMAKE_CURRENT_LIST_DIR}/test_hostile_windows.c INTERNAL)
