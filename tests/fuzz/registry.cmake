# SPDX-License-Identifier: Apache-2.0
if(COMMAND wc_add_fuzzer)
  wc_add_fuzzer(reference fuzz_reference.c corpus/reference)
  wc_add_fuzzer(challenge fuzz_challenge.c corpus/challenge)
  wc_add_fuzzer(link fuzz_link.c corpus/link)
  wc_add_fuzzer(headers fuzz_headers.c corpus/headers)
  wc_add_fuzzer(secrets fuzz_secrets.c corpus/secrets json.dict)
  wc_add_fuzzer(answers fuzz_answers.c corpus/answers json.dict)
endif()
