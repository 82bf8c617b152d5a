#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing on Debian and Ubuntu: what building needs, what running containers needs,
# with --test what the tests use besides, with --guest also what those in a virtual machine do. Does nothing
# when all is there, and only says what is missing when not run as root or without apt-get.
set -eu

build="gcc libc6-dev cmake ninja-build pkg-config libjansson-dev libcurl4-openssl-dev libzstd-dev libarchive-dev libsqlite3-dev libssl-dev zlib1g-dev libisal-dev"
run="runc ca-certificates busybox-static tini python3 netavark aardvark-dns iptables uidmap passt slirp4netns"
test="crun g++ check clang libclang-rt-dev doxygen gcc-mingw-w64-x86-64 abigail-tools golang-go default-jdk-headless docker-registry skopeo umoci buildah podman docker.io apache2-utils openssl iproute2 libcap2-bin attr libarchive-tools procps jq zsh fish fuse-overlayfs systemd"
guest="qemu-system-x86 kmod dbus systemd-sysv apparmor"

want="$build $run"
case ${1:-} in
--test) want="$want $test" ;;
--guest) want="$want $test $guest" ;;
esac

installed() {
    dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed'
}
missing=
for package in $want; do
    case $package in
    # The sanitizer run time goes by the compiler's version; runc may have come as crun.
    libclang-rt-dev)
        version=$(dpkg-query -W -f '${Depends}' clang 2>/dev/null | sed -n 's/.*clang-\([0-9]*\).*/\1/p')
        package=libclang-rt-${version:-14}-dev ;;
    default-jdk-headless) command -v javac >/dev/null 2>&1 && continue ;;
    golang-go) command -v go >/dev/null 2>&1 && continue ;;
    esac
    installed "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "Missing packages (Debian's names):$missing" >&2
    exit 0
fi
echo "== install:$missing"
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086
apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends $missing >/dev/null 2>&1 || {
    apt-get -o DPkg::Lock::Timeout=300 update >/dev/null
    apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends $missing >/dev/null
}
