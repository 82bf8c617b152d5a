# SPDX-License-Identifier: Apache-2.0
wc_add_test(container_config_test unit SOURCES ${CMAKE_CURRENT_LIST_DIR}/container_config_test.c INTERNAL)
wc_add_test(container_security_test unit SOURCES ${CMAKE_CURRENT_LIST_DIR}/container_security_test.c INTERNAL)
