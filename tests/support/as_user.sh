#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# as_user.sh COMMAND ARGS: runs a test as an ordinary user who has ids to give out, with directories of his own. The user is
# "tester", and is made where there is none.
set -eu
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
user=tester
if [ "$(id -u)" != 0 ]; then # an ordinary user already
    grep -q "^$(id -un):" /etc/subuid || { echo "SKIP: /etc/subuid gives no ids to $(id -un)"; exit 77; }
    command -v newuidmap >/dev/null || { echo "SKIP: newuidmap is not installed"; exit 77; }
    WC_TEST_USER=$(id -un) exec "$@"
fi
for program in newuidmap newgidmap setpriv; do
    command -v "$program" >/dev/null || { echo "SKIP: $program is not installed"; exit 77; }
done
(
    flock 9 # several tests may begin at once
    id "$user" >/dev/null 2>&1 || useradd --system --no-create-home --home-dir / --shell /bin/sh "$user"
    for file in /etc/subuid /etc/subgid; do
        grep -q "^$user:" "$file" 2>/dev/null || echo "$user:100000:65536" >>"$file"
    done
) 9>/run/wc-as-user.lock
become="setpriv --reuid $user --regid $(id -g $user) --init-groups"
shown=
# Directories of root are shown to him elsewhere.
if ! $become test -x "$WC_TEST_BUILD/bin/wcctl"; then
    [ "${WC_TEST_SHOWN:-}" = 1 ] || WC_TEST_SHOWN=1 exec unshare -m --propagation private "$0" "$@"
    shown=1
fi
home=$(mktemp -d "${TMPDIR:-/tmp}/wc-user-XXXXXX")
finish() {
    if [ -n "$shown" ]; then umount -l "$home/source" || return; fi # never into the sources
    rm -rf "$home"
}
trap finish EXIT
mkdir "$home/run"
chown -R "$user:" "$home"
chmod 700 "$home/run"
if [ -n "$shown" ]; then
    mkdir "$home/source"
    mount --bind "$WC_TEST_SOURCE" "$home/source"
    for word in "$@"; do
        shift
        case $word in "$WC_TEST_SOURCE"*) word=$home/source${word#"$WC_TEST_SOURCE"} ;; esac
        set -- "$@" "$word"
    done
    WC_TEST_BUILD=$home/source${WC_TEST_BUILD#"$WC_TEST_SOURCE"}
    WC_TEST_SOURCE=$home/source
    export LD_LIBRARY_PATH="$WC_TEST_BUILD/lib"
fi
cd "$home"
status=0
$become env HOME="$home" USER="$user" LOGNAME="$user" \
    XDG_RUNTIME_DIR="$home/run" WC_TEST_USER="$user" WC_TEST_BUILD="$WC_TEST_BUILD" WC_TEST_SOURCE="$WC_TEST_SOURCE" "$@" ||
    status=$?
exit $status
