# SPDX-License-Identifier: Apache-2.0
foreach(area files tree locks spawn aside streams host keys userns deputy)
  wc_add_test(unit_${area} unit SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_${area}.c INTERNAL)
endforeach()
# It makes keys that we refuse, with OpenSSL itself.
target_link_libraries(unit_keys PRIVATE PkgConfig::CRYPTO)
