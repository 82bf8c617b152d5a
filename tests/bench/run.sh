#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Measures this library beside every peer found on the host, in one run, and draws the result.
#
#   tests/bench/run.sh [--corpus DIR] [--rounds N] [--work DIR] [--out DIR] [--only pull|move|run|exec]
#
# Needs root, docker-registry, skopeo and about 4 GB of tmpfs. The corpus (a five-layer image of real
# Debian trees and an npm tree, 1 GB unpacked) is built by corpus.sh unless --corpus or WC_BENCH_CORPUS
# names one that has the OCI layouts img-gzip and img-zstd with the tag "bench".
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."
[ "$(id -u)" = 0 ] || { echo "run.sh: root is needed to unpack images as they are" >&2; exit 1; }
cmake --preset release >/dev/null
cmake --build --preset release >/dev/null
exec python3 "$here/bench.py" --build "$PWD/build/release" "$@"
