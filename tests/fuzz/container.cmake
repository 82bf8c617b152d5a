# SPDX-License-Identifier: Apache-2.0
wc_add_fuzzer(users fuzz_users.c corpus/users)
wc_add_fuzzer(seccomp fuzz_seccomp.c corpus/seccomp json.dict)
wc_add_fuzzer(state fuzz_state.c corpus/state json.dict)
wc_add_fuzzer(cdi fuzz_cdi.c corpus/cdi json.dict)
