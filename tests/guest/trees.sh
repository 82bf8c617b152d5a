#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Brings the build and the sources, which are on the second disk, to where the host has them.
set -e
mount -o ro /dev/vdb /mnt
. /mnt/paths
mkdir -p "$WC_TEST_SOURCE"
mount --bind /mnt/source "$WC_TEST_SOURCE"
if [ "$WC_TEST_BUILD" != none ]; then
    mkdir -p "$WC_TEST_BUILD"
    mount --bind /mnt/build "$WC_TEST_BUILD"
fi
ip link set lo up
