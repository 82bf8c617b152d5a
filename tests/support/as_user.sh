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
home=$(mktemp -d "${TMPDIR:-/tmp}/wc-user-XXXXXX")
mkdir "$home/run"
chown -R "$user:" "$home"
chmod 700 "$home/run"
trap 'rm -rf "$home"' EXIT
# Directories of root are shown to him elsewhere.
if ! setpriv --reuid "$user" --regid "$(id -g $user)" --init-groups test -x "$WC_TEST_BUILD/bin/wcctl"; then
    if [ "${WC_TEST_SHOWN:-}" != 1 ]; then
        export WC_TEST_SHOWN=1
        exec unshare -m --propagation private "$0" "$@"
    fi
    mkdir -p "$home/source"
    mount --bind "$WC_TEST_SOURCE" "$home/source"
    trap 'umount "$home/source" && rm -rf "$home"' EXIT
    for word in "$@"; do
        shift
        case $word in "$WC_TEST_SOURCE"*) word=$home/source${word#"$WC_TEST_SOURCE"} ;; esac
        set -- "$@" "$word"
    done
    WC_TEST_BUILD=$home/source${WC_TEST_BUILD#"$WC_TEST_SOURCE"}
    WC_TEST_SOURCE=$home/source
fi
cd "$home"
status=0
setpriv --reuid "$user" --regid "$(id -g $user)" --init-groups env HOME="$home" USER="$user" LOGNAME="$user" \
    XDG_RUNTIME_DIR="$home/run" WC_TEST_USER="$user" WC_TEST_BUILD="$WC_TEST_BUILD" WC_TEST_SOURCE="$WC_TEST_SOURCE" "$@" ||
    status=$?
exit $status
