# SPDX-License-Identifier: Apache-2.0
wc_add_fuzzer(tar fuzz_tar.c corpus/tar)
wc_add_fuzzer(codec fuzz_codec.c corpus/codec)
wc_add_fuzzer(security fuzz_security.c corpus/security)
wc_add_fuzzer(chunked fuzz_chunked.c corpus/chunked json.dict)
wc_add_fuzzer(blob fuzz_blob.c corpus/blob)
wc_add_fuzzer(split fuzz_split.c corpus/split)
wc_add_fuzzer(parts fuzz_parts.c corpus/parts json.dict)
wc_add_fuzzer(plain fuzz_plain.c corpus/plain)
