# SPDX-License-Identifier: Apache-2.0
wc_add_script_test(e2e_resources e2e ${CMAKE_CURRENT_SOURCE_DIR}/resources_test.py TIMEOUT 300 SERIAL)
wc_add_script_test(e2e_resources_crun e2e ${PROJECT_SOURCE_DIR}/tests/support/with_crun.sh
  ARGS ${CMAKE_CURRENT_SOURCE_DIR}/resources_test.py TIMEOUT 300 SERIAL)
wc_add_script_test(e2e_group e2e ${CMAKE_CURRENT_SOURCE_DIR}/group_test.py TIMEOUT 300 SERIAL)
wc_add_script_test(e2e_group_crun e2e ${PROJECT_SOURCE_DIR}/tests/support/with_crun.sh
  ARGS ${CMAKE_CURRENT_SOURCE_DIR}/group_test.py TIMEOUT 300 SERIAL)
wc_add_script_test(e2e_cgroup2 e2e ${PROJECT_SOURCE_DIR}/tests/support/with_cgroup2.sh
  ARGS ${CMAKE_CURRENT_SOURCE_DIR}/cgroup2_test.py TIMEOUT 300 SERIAL)
wc_add_script_test(e2e_systemd e2e ${CMAKE_CURRENT_SOURCE_DIR}/systemd_test.py TIMEOUT 120 SERIAL)
wc_add_script_test(e2e_resources_docker e2e ${CMAKE_CURRENT_SOURCE_DIR}/resources_docker_test.py TIMEOUT 300 SERIAL)
