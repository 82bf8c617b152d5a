# SPDX-License-Identifier: Apache-2.0
wc_add_fuzzer(users fuzz_users.c corpus/users)
