# SPDX-License-Identifier: Apache-2.0
foreach(part run streams logs exec archive remains)
  wc_add_test(process_${part}_test host SOURCES process_${part}_test.c INTERNAL SERIAL TIMEOUT 180)
  add_dependencies(process_${part}_test wc-helper)
endforeach()

# The loop of a monitor and the programs that it runs.
set(helper ${PROJECT_SOURCE_DIR}/lib/backend/process/linux/helper)
wc_add_test(monitor_health_test host SOURCES monitor_health_test.c ${helper}/health_rules.c INTERNAL)
wc_add_test(monitor_restart_test host SOURCES monitor_restart_test.c ${helper}/restart.c INTERNAL)
wc_add_test(monitor_log_test host SOURCES monitor_log_test.c ${helper}/log_file.c INTERNAL)
wc_add_test(monitor_jobs_test host SOURCES monitor_jobs_test.c ${helper}/loop.c ${helper}/job.c ${helper}/child.c
  ${helper}/client.c INTERNAL)
wc_add_test(monitor_journal_test host SOURCES monitor_journal_test.c ${helper}/log_journal.c INTERNAL)
