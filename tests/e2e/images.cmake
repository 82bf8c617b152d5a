# SPDX-License-Identifier: Apache-2.0
wc_add_script_test(e2e_images e2e ${CMAKE_CURRENT_LIST_DIR}/images_test.py TIMEOUT 600)
wc_add_script_test(e2e_layers e2e ${CMAKE_CURRENT_LIST_DIR}/layers_test.py TIMEOUT 600)
wc_add_script_test(e2e_edit e2e ${CMAKE_CURRENT_LIST_DIR}/edit_test.py TIMEOUT 600)
wc_add_script_test(e2e_signatures e2e ${CMAKE_CURRENT_LIST_DIR}/signatures_test.py TIMEOUT 600)
add_executable(parallel_pulls ${CMAKE_CURRENT_LIST_DIR}/parallel_pulls.c)
set_target_properties(parallel_pulls PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
target_link_libraries(parallel_pulls PRIVATE wincontainer wc_flags Threads::Threads)
wc_add_script_test(e2e_overlay e2e ${CMAKE_CURRENT_LIST_DIR}/overlay_test.py)
