# SPDX-License-Identifier: Apache-2.0
wc_add_test(mock_backend_test unit SOURCES mock_backend_test.c INTERNAL)
