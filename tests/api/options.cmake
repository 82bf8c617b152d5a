# SPDX-License-Identifier: Apache-2.0
wc_add_test(api_options_test api SOURCES options_test.c)
