#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs a command with a network of its own, with nothing in it but loopback, and with an empty /run: what netavark makes
# there touches neither the host nor others that do the same.
# usage: netns.sh COMMAND [ARG ...]
set -eu
if [ "${WC_TEST_NETNS:-}" != inside ]; then
    [ "$(id -u)" = 0 ] || { echo "SKIP: network namespaces need root"; exit 77; }
    unshare -n -m true 2>/dev/null || { echo "SKIP: no network namespace can be made here"; exit 77; }
    WC_TEST_NETNS=inside exec unshare -n -m "$0" "$@"
fi
mount -t tmpfs tmpfs /run
ip link set lo up
exec "$@"
