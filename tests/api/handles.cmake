# SPDX-License-Identifier: Apache-2.0
wc_add_test(api_edits_test api SOURCES edits_test.c)
wc_add_test(api_handles_test api SOURCES handles_test.c)
wc_add_test(api_registries_test api SOURCES registries_test.c)
wc_add_test(api_reed_test api SOURCES reed_test.c LINKS Threads::Threads)
wc_add_test(api_allocator_test api SOURCES allocator_test.c)
wc_add_test(api_volumes_test api SOURCES volumes_test.c)
wc_add_test(api_groups_test api SOURCES groups_test.c)
