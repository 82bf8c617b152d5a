#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# with_user_cgroup.sh COMMAND ARGS: runs a test as an ordinary user to whom a control group of version 2 was given, as systemd
# does it. To be run in tests/support/with_cgroup2.sh.
set -eu
[ "$(id -u)" = 0 ] || { echo "SKIP: needs root, to give a control group away"; exit 77; }
support=$(dirname "$0")
group=/sys/fs/cgroup/wc-test-$$
user=${WC_TEST_USER_NAME:-tester}
"$support/as_user.sh" true # makes the user
mkdir -p "$group/session"
for controller in $(cat "$group/cgroup.controllers"); do
    echo "+$controller" >"$group/cgroup.subtree_control" 2>/dev/null || true
done
chown "$user" "$group" "$group/cgroup.procs" "$group/cgroup.subtree_control" "$group/session" "$group/session/cgroup.procs" \
    "$group/session/cgroup.subtree_control"
finish() {
    echo $$ >/sys/fs/cgroup/cgroup.procs
    find "$group" -depth -type d -exec rmdir {} +
}
trap finish EXIT
echo $$ >"$group/session/cgroup.procs"
status=0
"$support/as_user.sh" "$@" || status=$?
exit $status
