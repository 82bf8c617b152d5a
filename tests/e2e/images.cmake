# SPDX-License-Identifier: Apache-2.0
wc_add_script_test(e2e_images e2e ${CMAKE_CURRENT_LIST_DIR}/images_test.py TIMEOUT 600)
wc_add_script_test(e2e_registries e2e ${CMAKE_CURRENT_LIST_DIR}/registries_test.py TIMEOUT 600)
wc_add_script_test(e2e_edit e2e ${CMAKE_CURRENT_LIST_DIR}/edit_test.py TIMEOUT 600)
