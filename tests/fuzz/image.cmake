# SPDX-License-Identifier: Apache-2.0
if(COMMAND wc_add_fuzzer)
  wc_add_fuzzer(manifest fuzz_manifest.c corpus/manifest json.dict)
  wc_add_fuzzer(archive fuzz_archive.c corpus/archive json.dict)
endif()
