# SPDX-License-Identifier: Apache-2.0
wc_add_fuzzer(netavark fuzz_netavark.c corpus/netavark json.dict)
