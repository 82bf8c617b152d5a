# SPDX-License-Identifier: Apache-2.0
wc_add_fuzzer(journal fuzz_journal.c corpus/journal)
