#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# with_fuse_overlay.sh COMMAND ARGS: runs a test with directories of which the kernel makes no overlay, and with a /dev/fuse
# that everybody may open, so that ordinary users get fuse-overlayfs.
set -eu
[ "$(id -u)" = 0 ] || { echo "SKIP: needs root, to mount"; exit 77; }
command -v fuse-overlayfs >/dev/null || { echo "SKIP: fuse-overlayfs is not installed"; exit 77; }
[ -c /dev/fuse ] || { echo "SKIP: there is no /dev/fuse"; exit 77; }
if [ "${WC_TEST_OVERLAY:-}" != fuse ]; then
    WC_TEST_OVERLAY=fuse exec unshare -m --propagation private "$0" "$@"
fi
place=$(mktemp -d "${TMPDIR:-/tmp}/wc-fuse-XXXXXX")
chmod 755 "$place"
mkdir "$place/lower" "$place/upper" "$place/work" "$place/tmp"
chmod 1777 "$place/upper"
mount -t overlay -o "lowerdir=$place/lower,upperdir=$place/upper,workdir=$place/work" none "$place/tmp"
mknod -m 666 "$place/fuse" c 10 229
mount --bind "$place/fuse" /dev/fuse
trap 'umount /dev/fuse; umount -l "$place/tmp"; rm -rf "$place"' EXIT
status=0
TMPDIR=$place/tmp "$@" || status=$?
exit $status
