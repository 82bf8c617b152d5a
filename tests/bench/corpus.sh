#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Builds the measuring corpus: a five-layer image of a Debian base, packages installed on it one set at a
# time, and an npm tree, as the OCI layouts img-gzip and img-zstd (tag "bench").
# usage: corpus.sh DIR        (root, network access to a Debian mirror and npm, 4 GB of disk)
set -euo pipefail
dir=$(mkdir -p "$1" && cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
export DEBIAN_FRONTEND=noninteractive
packages="debootstrap pigz zstd python3"
command -v npm >/dev/null || packages="$packages npm" # another npm would conflict with Debian's
# shellcheck disable=SC2086
apt-get install -y --no-install-recommends $packages >/dev/null
cd "$dir"
sources=/etc/apt/sources.list.d/debian.sources
mirror=$(awk '/^URIs:/{print $2; exit}' $sources)
[ -d base ] || debootstrap --variant=minbase bookworm base "$mirror" >debootstrap.log
rm -rf base/var/cache/apt/archives/*.deb base/var/lib/apt/lists/*

below=$dir/base
# add NAME PACKAGE...: installs packages over what is below and keeps the difference.
add() {
    local name=$1
    shift
    if [ ! -d "$name" ]; then
        mkdir -p "$name.part" "$name.work" "$name.view"
        mount -t overlay overlay -o "lowerdir=$below,upperdir=$name.part,workdir=$name.work" "$name.view"
        mount --bind /proc "$name.view/proc"
        cp $sources "$name.view/etc/apt/sources.list.d/"
        : >"$name.view/etc/apt/sources.list"
        cp -r /etc/apt/apt.conf.d/. "$name.view/etc/apt/apt.conf.d/" 2>/dev/null || true
        chroot "$name.view" sh -c "apt-get update && apt-get install -y --no-install-recommends $* &&
            apt-get clean && rm -rf /var/lib/apt/lists/*" >"$name.log" 2>&1
        umount "$name.view/proc" "$name.view"
        rm -rf "$name.work" "$name.view"
        mv "$name.part" "$name"
    fi
    below=$dir/$name:$below
}
add l2.up python3 ca-certificates curl
add l3.up build-essential
add l4.up nodejs git perl-doc
if [ ! -d l5.up/app/node_modules ]; then
    mkdir -p l5.up/app
    (cd l5.up/app && npm i --no-audit --no-fund --ignore-scripts webpack eslint typescript jest react-scripts@5 \
        lodash date-fns rxjs >/dev/null 2>&1)
fi
for codec in gzip zstd; do
    rm -rf "img-$codec"
    python3 "$here/pack_layout.py" "img-$codec" bench $codec base l2.up l3.up l4.up l5.up
done
