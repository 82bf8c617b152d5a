# SPDX-License-Identifier: Apache-2.0
set(dir ${CMAKE_CURRENT_LIST_DIR})
wc_add_test(unit_layer unit SOURCES ${dir}/test_layer.c INTERNAL)
wc_add_test(unit_layer_codec unit SOURCES ${dir}/test_layer_codec.c INTERNAL)
wc_add_test(unit_layer_security unit SOURCES ${dir}/test_layer_security.c INTERNAL)
wc_add_test(unit_layer_tools unit SOURCES ${dir}/test_layer_tools.c INTERNAL TIMEOUT 300)
wc_add_test(unit_layer_holes unit SOURCES ${dir}/test_layer_holes.c INTERNAL)
wc_add_test(unit_layer_split unit SOURCES ${dir}/test_layer_split.c INTERNAL)
wc_add_test(unit_layer_parts unit SOURCES ${dir}/test_layer_parts.c INTERNAL)
wc_add_test(unit_layer_plain unit SOURCES ${dir}/test_layer_plain.c INTERNAL)
wc_add_test(unit_layer_umoci unit SOURCES ${dir}/test_layer_umoci.c INTERNAL)
wc_add_test(unit_layer_equality unit SOURCES ${dir}/test_layer_equality.c ${dir}/layer_stack.c
            ${dir}/layer_model.c INTERNAL TIMEOUT 600)
wc_add_test(unit_layer_merged unit SOURCES ${dir}/test_layer_merged.c ${dir}/layer_stack.c
            ${dir}/layer_model.c INTERNAL TIMEOUT 600)
# Many more stacks, others than those of the short run.
add_test(NAME unit_layer_equality_long COMMAND unit_layer_equality 50000 1000000)
wc_test_properties(unit_layer_equality_long unit LONG TIMEOUT 3600)
add_test(NAME unit_layer_merged_long COMMAND unit_layer_merged 50000 1000000)
wc_test_properties(unit_layer_merged_long unit LONG TIMEOUT 3600)
