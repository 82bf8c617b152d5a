#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Measures this library beside every peer found on the host, in one run, and draws the result.
#
#   tests/bench/run.sh [--corpus DIR] [--rounds N] [--work DIR] [--out DIR] [--only pull|move|run|exec|cycle|many|logs|cp]
#
# Needs root, docker-registry, skopeo, runc and about 4 GB of tmpfs (8 GB for cp). The corpus of pull and move (a five-layer
# image of real Debian trees and an npm tree, 1 GB unpacked) is built by corpus.sh unless --corpus or WC_BENCH_CORPUS
# names one that has the OCI layouts img-gzip and img-zstd with the tag "bench".
#
# It runs in namespaces of its own, so that the host's network is left alone, and where crun would refuse hybrid control
# groups without the unified hierarchy.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."
[ "$(id -u)" = 0 ] || { echo "run.sh: root is needed to unpack images as they are" >&2; exit 1; }
cmake --preset release >/dev/null
cmake --build --preset release >/dev/null
support=tests/support
unified=
PATH=$PATH:/usr/sbin:/sbin
if command -v crun >/dev/null; then unified=$support/with_crun.sh; fi
exec $support/netns.sh $unified python3 "$here/bench.py" --build "$PWD/build/release" "$@"
