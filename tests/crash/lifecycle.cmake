# SPDX-License-Identifier: Apache-2.0
wc_add_script_test(crash_lifecycle crash ${CMAKE_CURRENT_SOURCE_DIR}/lifecycle.py
  ARGS ${CMAKE_BINARY_DIR} ${PROJECT_SOURCE_DIR} TIMEOUT 1800)
wc_add_script_test(crash_images crash ${CMAKE_CURRENT_SOURCE_DIR}/images.py
  ARGS ${CMAKE_BINARY_DIR} ${PROJECT_SOURCE_DIR} TIMEOUT 1800)
