#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs a test as an ordinary user in a network that stands for the world: one host, 192.0.2.1 and 2001:db8::1, whose name
# server answers at 192.0.2.1 if the test makes one. Ports from 53 on are anybody's.
# usage: user_world.sh COMMAND [ARG ...]
set -eu
if [ "${WC_TEST_NETNS:-}" != inside ]; then
    [ "$(id -u)" = 0 ] || { echo "SKIP: network namespaces need root"; exit 77; }
    unshare -n -m true 2>/dev/null || { echo "SKIP: no network namespace can be made here"; exit 77; }
    [ -e /dev/net/tun ] || { echo "SKIP: this kernel has no /dev/net/tun"; exit 77; }
    WC_TEST_NETNS=inside exec unshare -n -m --propagation private "$0" "$@"
fi
ip link set lo up
ip link add wc-world type bridge
ip address add 192.0.2.1/24 dev wc-world
ip address add 2001:db8::1/64 dev wc-world nodad
ip link set wc-world up
ip route add default via 192.0.2.254 dev wc-world
ip -6 route add default via 2001:db8::fe dev wc-world
echo 53 >/proc/sys/net/ipv4/ip_unprivileged_port_start
mount -t tmpfs -o mode=755 tmpfs /dev/net
mknod -m 666 /dev/net/tun c 10 200
echo "nameserver 192.0.2.1" >/dev/net/resolv.conf
mount --bind /dev/net/resolv.conf /etc/resolv.conf
exec "$(dirname "$0")/as_user.sh" "$@"
