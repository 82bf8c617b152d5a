# SPDX-License-Identifier: Apache-2.0
wc_add_test(api_backend_test api SOURCES backend_test.c LINKS PkgConfig::JANSSON)
foreach(kind 1 2 3 4)
  add_library(bad_plugin_${kind} MODULE bad_plugin.c)
  set_target_properties(bad_plugin_${kind} PROPERTIES PREFIX ""
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  target_compile_definitions(bad_plugin_${kind} PRIVATE PLUGIN_KIND=${kind})
  target_include_directories(bad_plugin_${kind} PRIVATE ${PROJECT_SOURCE_DIR}/include)
  add_dependencies(api_backend_test bad_plugin_${kind})
endforeach()
if(TARGET backend-null)
  add_dependencies(api_backend_test backend-null)
  target_compile_definitions(api_backend_test PRIVATE
    NULL_BACKEND="$<TARGET_FILE:backend-null>")
endif()
