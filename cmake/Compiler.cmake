# SPDX-License-Identifier: Apache-2.0
# Warnings and sanitizers, as one interface target that every target of ours links.
add_library(wc_flags INTERFACE)
target_compile_options(wc_flags INTERFACE
  -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith
  -Wwrite-strings -Wvla -Wimplicit-fallthrough -fno-strict-aliasing)
target_compile_definitions(wc_flags INTERFACE
  _GNU_SOURCE _FILE_OFFSET_BITS=64 WC_VERSION_TEXT="${PROJECT_VERSION}")
if(WC_SANITIZE)
  target_compile_options(wc_flags INTERFACE -fsanitize=${WC_SANITIZE} -fno-omit-frame-pointer -g)
  target_link_options(wc_flags INTERFACE -fsanitize=${WC_SANITIZE})
  if(WC_SANITIZE MATCHES "undefined")
    target_compile_options(wc_flags INTERFACE -fno-sanitize-recover=undefined)
  endif()
else()
  target_compile_options(wc_flags INTERFACE
    $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=2> -fstack-protector-strong)
  target_link_options(wc_flags INTERFACE -Wl,-z,relro,-z,now)
endif()
if(WC_BUILD_FUZZERS)
  target_compile_options(wc_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
