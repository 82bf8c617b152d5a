# SPDX-License-Identifier: Apache-2.0
wc_add_test(api_threads_test api SOURCES threads_test.c LINKS Threads::Threads TIMEOUT 300)
