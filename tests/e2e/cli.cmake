# SPDX-License-Identifier: Apache-2.0
if(WC_SANITIZE)
  wc_add_skipped_test(e2e_quickstart e2e "it builds for itself, without sanitizers")
  wc_add_skipped_test(e2e_install e2e "programs built against an installation do not link the sanitizers")
else()
  wc_add_script_test(e2e_quickstart e2e ${CMAKE_CURRENT_SOURCE_DIR}/quickstart.sh
    ARGS ${PROJECT_SOURCE_DIR} TIMEOUT 600)
  wc_add_script_test(e2e_quickstart_rootless e2e ${PROJECT_SOURCE_DIR}/tests/support/as_user.sh
    ARGS ${CMAKE_CURRENT_SOURCE_DIR}/quickstart.sh ${PROJECT_SOURCE_DIR} LONG TIMEOUT 600)
  wc_add_script_test(e2e_install e2e ${CMAKE_CURRENT_SOURCE_DIR}/install.sh
    ARGS ${CMAKE_BINARY_DIR} ${PROJECT_SOURCE_DIR} TIMEOUT 300)
endif()
wc_add_script_test(e2e_cli_docs e2e ${CMAKE_CURRENT_SOURCE_DIR}/cli_docs_test.py)
wc_add_script_test(e2e_json e2e ${CMAKE_CURRENT_SOURCE_DIR}/json_test.py TIMEOUT 300)
wc_add_script_test(e2e_messages e2e ${CMAKE_CURRENT_SOURCE_DIR}/messages_test.py TIMEOUT 300)
wc_add_script_test(e2e_run e2e ${CMAKE_CURRENT_SOURCE_DIR}/run_test.py TIMEOUT 600 SERIAL)
wc_add_script_test(e2e_run_crun e2e ${PROJECT_SOURCE_DIR}/tests/support/with_crun.sh
  ARGS ${CMAKE_CURRENT_SOURCE_DIR}/run_test.py TIMEOUT 600 SERIAL)
wc_add_script_test(e2e_watch e2e ${CMAKE_CURRENT_SOURCE_DIR}/watch_test.py TIMEOUT 600 SERIAL)
wc_add_script_test(e2e_watch_crun e2e ${PROJECT_SOURCE_DIR}/tests/support/with_crun.sh
  ARGS ${CMAKE_CURRENT_SOURCE_DIR}/watch_test.py TIMEOUT 600 SERIAL)
wc_add_script_test(e2e_volume e2e ${CMAKE_CURRENT_SOURCE_DIR}/volume_test.py TIMEOUT 600 SERIAL)
wc_add_script_test(e2e_volume_crun e2e ${PROJECT_SOURCE_DIR}/tests/support/with_crun.sh
  ARGS ${CMAKE_CURRENT_SOURCE_DIR}/volume_test.py TIMEOUT 600 SERIAL)
wc_add_script_test(e2e_security e2e ${CMAKE_CURRENT_SOURCE_DIR}/security_test.py TIMEOUT 600 SERIAL)
wc_add_script_test(e2e_security_crun e2e ${PROJECT_SOURCE_DIR}/tests/support/with_crun.sh
  ARGS ${CMAKE_CURRENT_SOURCE_DIR}/security_test.py TIMEOUT 600 SERIAL)
wc_add_script_test(e2e_refused e2e ${CMAKE_CURRENT_SOURCE_DIR}/refused_test.py TIMEOUT 300 SERIAL)
wc_add_script_test(e2e_refused_crun e2e ${PROJECT_SOURCE_DIR}/tests/support/with_crun.sh
  ARGS ${CMAKE_CURRENT_SOURCE_DIR}/refused_test.py TIMEOUT 300 SERIAL)
wc_add_script_test(e2e_remains e2e ${CMAKE_CURRENT_SOURCE_DIR}/remains_test.py TIMEOUT 300 SERIAL)
wc_add_script_test(e2e_remains_crun e2e ${PROJECT_SOURCE_DIR}/tests/support/with_crun.sh
  ARGS ${CMAKE_CURRENT_SOURCE_DIR}/remains_test.py TIMEOUT 300 SERIAL)
wc_add_script_test(e2e_network e2e ${PROJECT_SOURCE_DIR}/tests/support/netns.sh
  ARGS ${CMAKE_CURRENT_SOURCE_DIR}/network_test.py TIMEOUT 600 SERIAL)
wc_add_script_test(e2e_network_crun e2e ${PROJECT_SOURCE_DIR}/tests/support/netns.sh
  ARGS ${PROJECT_SOURCE_DIR}/tests/support/with_crun.sh ${CMAKE_CURRENT_SOURCE_DIR}/network_test.py TIMEOUT 600 SERIAL)
wc_add_script_test(e2e_network_faults e2e ${PROJECT_SOURCE_DIR}/tests/support/netns.sh
  ARGS ${CMAKE_CURRENT_SOURCE_DIR}/network_faults_test.py TIMEOUT 900 SERIAL)
wc_add_script_test(e2e_rootless_network_pasta e2e ${PROJECT_SOURCE_DIR}/tests/support/user_world.sh
  ARGS ${CMAKE_CURRENT_SOURCE_DIR}/rootless_network_test.py pasta TIMEOUT 300 SERIAL)
# Of networks with names only what depends on the program.
wc_add_script_test(e2e_rootless_network_slirp4netns e2e ${PROJECT_SOURCE_DIR}/tests/support/user_world.sh
  ARGS ${CMAKE_CURRENT_SOURCE_DIR}/rootless_network_test.py slirp4netns DefaultNetwork
    NamedNetworks.test_names_and_the_way_out NamedNetworks.test_a_killed_hub_comes_again
    NamedNetworks.test_a_killed_helper_comes_again TIMEOUT 300 SERIAL)
wc_add_script_test(hostile_containers hostile ${CMAKE_CURRENT_SOURCE_DIR}/hostile_test.py TIMEOUT 300)
wc_add_script_test(e2e_life e2e ${CMAKE_CURRENT_SOURCE_DIR}/life_test.py TIMEOUT 300 SERIAL)
wc_add_script_test(e2e_life_crun e2e ${PROJECT_SOURCE_DIR}/tests/support/with_crun.sh
  ARGS ${CMAKE_CURRENT_SOURCE_DIR}/life_test.py TIMEOUT 300 SERIAL)

# The same as an ordinary user, and what is different for one.
foreach(part run volume security life)
  wc_add_script_test(e2e_${part}_rootless e2e ${PROJECT_SOURCE_DIR}/tests/support/as_user.sh
    ARGS ${CMAKE_CURRENT_SOURCE_DIR}/${part}_test.py TIMEOUT 600 SERIAL)
endforeach()
wc_add_script_test(e2e_watch_rootless e2e ${PROJECT_SOURCE_DIR}/tests/support/as_user.sh
  ARGS ${CMAKE_CURRENT_SOURCE_DIR}/watch_test.py LONG TIMEOUT 600 SERIAL)
wc_add_script_test(e2e_rootless e2e ${PROJECT_SOURCE_DIR}/tests/support/as_user.sh
  ARGS ${CMAKE_CURRENT_SOURCE_DIR}/rootless_test.py TIMEOUT 300 SERIAL)
wc_add_script_test(e2e_rootless_crun e2e ${PROJECT_SOURCE_DIR}/tests/support/with_crun.sh
  ARGS ${PROJECT_SOURCE_DIR}/tests/support/as_user.sh ${CMAKE_CURRENT_SOURCE_DIR}/rootless_test.py TIMEOUT 300 SERIAL)
wc_add_script_test(e2e_rootless_fuse e2e ${PROJECT_SOURCE_DIR}/tests/support/with_fuse_overlay.sh
  ARGS ${PROJECT_SOURCE_DIR}/tests/support/as_user.sh ${CMAKE_CURRENT_SOURCE_DIR}/rootless_test.py TIMEOUT 300 SERIAL)
wc_add_script_test(e2e_rootless_cgroup2 e2e ${PROJECT_SOURCE_DIR}/tests/support/with_cgroup2.sh
  ARGS ${PROJECT_SOURCE_DIR}/tests/support/with_user_cgroup.sh ${CMAKE_CURRENT_SOURCE_DIR}/rootless_cgroup2_test.py
  TIMEOUT 300 SERIAL)
wc_add_script_test(e2e_journal e2e ${PROJECT_SOURCE_DIR}/tests/support/with_journal.sh
  ARGS ${CMAKE_CURRENT_SOURCE_DIR}/journal_test.py TIMEOUT 300 SERIAL)
wc_add_script_test(e2e_faults e2e ${CMAKE_CURRENT_SOURCE_DIR}/faults_test.py TIMEOUT 300)
