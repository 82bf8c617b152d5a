# SPDX-License-Identifier: Apache-2.0
wc_add_script_test(e2e_rootless_files e2e ${PROJECT_SOURCE_DIR}/tests/support/as_user.sh TIMEOUT 600
  ARGS python3 ${CMAKE_CURRENT_LIST_DIR}/rootless_files_test.py)
