# SPDX-License-Identifier: Apache-2.0
foreach(part run streams logs exec archive remains)
  wc_add_test(process_${part}_test host SOURCES process_${part}_test.c INTERNAL SERIAL TIMEOUT 180)
  add_dependencies(process_${part}_test wc-helper)
endforeach()
