# SPDX-License-Identifier: Apache-2.0
# Writes a C file that takes the address of every function of the headers in DIR: it links only with a library
# that still has all of them. cmake -DDIR=… -DOUT=… -P all_functions.cmake
file(GLOB headers ${DIR}/wincontainer/*.h)
set(names)
foreach(header ${headers})
  file(READ ${header} text)
  string(REGEX MATCHALL "WC_API[^;(]*[ *](wc_[a-z0-9_]+)\\(" found "${text}")
  foreach(declaration ${found})
    string(REGEX REPLACE ".*[ *](wc_[a-z0-9_]+)\\($" "\\1" name "${declaration}")
    list(APPEND names ${name})
  endforeach()
endforeach()
list(LENGTH names count)
if(count LESS 200)
  message(FATAL_ERROR "only ${count} functions found in ${DIR}")
endif()
list(JOIN names ",\n    (function *)" lines)
file(WRITE ${OUT} "#include <wincontainer/backend.h>\n#include <wincontainer/wincontainer.h>\n
typedef void function(void);\nfunction *const all_functions[] = {\n    (function *)${lines}};\n")
