#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# with_journal.sh COMMAND ARGS: runs a test beside systemd's journal. Where systemd is not the init, the journal is one of the
# test, in a mount namespace with an empty /run, which takes whatever it is given; its process id is in WC_TEST_JOURNALD.
set -u
if [ "$(id -u)" != 0 ]; then
    echo "SKIP: needs root"
    exit 77
fi
[ ! -d /run/systemd/system ] || exec "$@"
export WC_TEST_JOURNAL=/lib/systemd/systemd-journald
if [ ! -x "$WC_TEST_JOURNAL" ] || ! command -v journalctl >/dev/null; then
    echo "SKIP: systemd-journald or journalctl is not installed"
    exit 77
fi
exec unshare -m --propagation private sh -c '
    mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/journal /run/log/journal /run/systemd/journald.conf.d || exit 1
    printf "[Journal]\nStorage=volatile\nRateLimitBurst=0\nReadKMsg=no\nAudit=no\nForwardToSyslog=no\nForwardToWall=no\n" \
        >/run/systemd/journald.conf.d/test.conf
    [ -s /etc/machine-id ] || { echo 0123456789abcdef0123456789abcdef >/run/machine-id; touch /etc/machine-id
        mount --bind /run/machine-id /etc/machine-id; }
    "$WC_TEST_JOURNAL" 2>/run/journald.messages &
    export WC_TEST_JOURNALD=$!
    tries=0
    until [ -S /run/systemd/journal/socket ] && journalctl --sync 2>/dev/null; do
        tries=$((tries + 1))
        [ "$tries" -lt 300 ] || { cat /run/journald.messages; echo "with_journal.sh: the journal does not start"; exit 1; }
        sleep 0.1
    done
    "$@"
    code=$?
    kill -KILL "$WC_TEST_JOURNALD" 2>/dev/null
    exit "$code"' with_journal "$@"
