# SPDX-License-Identifier: Apache-2.0
wc_add_test(reference_test unit SOURCES reference_test.c INTERNAL)
wc_add_test(registries_test unit SOURCES registries_test.c INTERNAL)
wc_add_test(registry_parts_test unit SOURCES registry_parts_test.c INTERNAL)
wc_add_test(registry_flow_test unit SOURCES registry_flow_test.c INTERNAL TIMEOUT 240)
wc_add_test(registry_hostile_test hostile SOURCES registry_hostile_test.c INTERNAL TIMEOUT 240)
wc_add_test(registry_server_test unit SOURCES registry_server_test.c INTERNAL TIMEOUT 240)
wc_add_test(registry_upload_test unit SOURCES registry_upload_test.c INTERNAL TIMEOUT 240)
wc_add_test(registry_browse_test unit SOURCES registry_browse_test.c INTERNAL TIMEOUT 120)
