# SPDX-License-Identifier: Apache-2.0
if(COMMAND wc_add_fuzzer)
  wc_add_fuzzer(manifest fuzz_manifest.c corpus/manifest json.dict)
  wc_add_fuzzer(archive fuzz_archive.c corpus/archive json.dict)
  wc_add_fuzzer(policy fuzz_policy.c corpus/policy json.dict)
  wc_add_fuzzer(claim fuzz_claim.c corpus/claim json.dict)
  wc_add_fuzzer(jws fuzz_jws.c corpus/jws json.dict)
  wc_add_fuzzer(pem fuzz_pem.c corpus/pem)
endif()
