#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# with_cgroup2.sh COMMAND ARGS: runs a test where control groups of version 2 are the only ones that are mounted. On a
# hybrid host that is a mount namespace, in which version 2 has the controllers that version 1 has not taken.
if [ "$(id -u)" != 0 ]; then
    echo "SKIP: needs root"
    exit 77
fi
export PATH="$PATH:/usr/sbin:/sbin"
if ! command -v runc > /dev/null; then
    echo "SKIP: runc is not installed"
    exit 77
fi
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then exec "$@"; fi
exec unshare -m --propagation private sh -c '
    if ! mount -t cgroup2 none /sys/fs/cgroup; then echo "SKIP: control groups of version 2 cannot be mounted"; exit 77; fi
    exec "$@"' with_cgroup2 "$@"
