# SPDX-License-Identifier: Apache-2.0
wc_add_test(mock_backend_test unit SOURCES mock_backend_test.c INTERNAL)
wc_add_test(unit_cgroup unit SOURCES test_cgroup.c INTERNAL)
