# SPDX-License-Identifier: Apache-2.0
wc_add_test(api_transfer_test api SOURCES transfer_test.c)
