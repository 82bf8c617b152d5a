# SPDX-License-Identifier: Apache-2.0
wc_add_test(image_documents_test unit SOURCES ${CMAKE_CURRENT_LIST_DIR}/image_documents_test.c INTERNAL)
wc_add_test(instruction_test unit SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_instruction.c INTERNAL)
wc_add_test(image_pull_test unit SOURCES ${CMAKE_CURRENT_LIST_DIR}/image_pull_test.c INTERNAL)
wc_add_test(image_out_test unit SOURCES ${CMAKE_CURRENT_LIST_DIR}/image_out_test.c INTERNAL)
wc_add_test(image_check_test unit SOURCES ${CMAKE_CURRENT_LIST_DIR}/image_check_test.c INTERNAL)
wc_add_test(trust_test unit SOURCES ${CMAKE_CURRENT_LIST_DIR}/trust_test.c INTERNAL)
