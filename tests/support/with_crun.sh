#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# with_crun.sh COMMAND ARGS: runs a test where crun is the runtime that is chosen. Where it would refuse the
# host's hybrid control groups that is a mount namespace without the unified hierarchy.
if [ "$(id -u)" != 0 ]; then
    echo "SKIP: needs root"
    exit 77
fi
export PATH="$PATH:/usr/sbin:/sbin"
if ! command -v crun > /dev/null; then
    echo "SKIP: crun is not installed"
    exit 77
fi
export WC_TEST_RUNTIME=crun # for tests that ask whether it is
exec unshare -m --propagation private sh -c '
    if grep -qs . /sys/fs/cgroup/unified/cgroup.controllers; then umount /sys/fs/cgroup/unified; fi
    exec "$@"' with_crun "$@"
