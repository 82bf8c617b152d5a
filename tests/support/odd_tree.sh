#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# odd_tree.sh DIR: fills DIR with everything that a tar may have to carry. Root adds what only root
# may make.
set -eu
mkdir -p "$1"
cd "$1"
umask 022
printf 'hello\n' >file
: >empty
printf 'odd name\n' >"sp ace=and
newline"
printf 'utf\n' >"umlaut-ä-日本"
mkdir -p dir/inner closed
printf 'x' >dir/inner/x
long=$(printf 'l%.0s' $(seq 200))
mkdir -p "$long/$long"
printf 'long\n' >"$long/$long/$long"
ln -s "$long/$long/$long" long-link
ln -s nowhere dangling
ln -s /etc/passwd absolute
ln file second-name
ln -s nowhere2 link2 && ln link2 link3
mkfifo pipe
head -c 300000 /dev/zero | tr '\0' 'z' >big
truncate -s 3000000 sparse
printf 'a' | dd of=sparse bs=1 seek=1000000 conv=notrunc 2>/dev/null
printf 'b' | dd of=sparse bs=1 seek=2500000 conv=notrunc 2>/dev/null
truncate -s 1000000 hole
chmod 4711 file
chmod 1777 dir
chmod 0000 empty
touch -h -d '1969-12-31 23:59:58.25 UTC' empty
touch -h -d '2001-02-03 04:05:06.123456789 UTC' file
touch -h -d '2040-01-01 00:00:00 UTC' big
touch -h -d '1999-09-09 09:09:09 UTC' dangling
if [ "$(id -u)" = 0 ]; then
    mknod char c 1 3
    mknod block b 7 200
    chown 1234:5678 big
    chown 3000000:3000001 sparse
    chown -h 12:34 dangling
    setfattr -n user.plain -v value dir 2>/dev/null || true
    setfattr -n trusted.test -v 0x00ff3d0a00 file
    if command -v setcap >/dev/null; then
        setcap cap_net_raw+ep big
    fi
fi
chmod 0500 closed
touch -h -d '2011-11-11 11:11:11.11 UTC' dir dir/inner closed .
