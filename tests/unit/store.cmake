# SPDX-License-Identifier: Apache-2.0
foreach(part open blob tree image container network volume upkeep)
  wc_add_test(store_${part}_test unit INTERNAL
    SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/store_${part}_test.c)
endforeach()
