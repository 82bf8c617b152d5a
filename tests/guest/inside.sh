#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs as a service of the guest: brings the second disk to where the host has it, does what is asked there and says
# how it went on the second serial line. What ends with 75 is begun again after a reboot.
exec >/dev/ttyS1 2>&1 </dev/null
mount -o ro /dev/vdb /mnt || { echo "guest: no disk with work"; systemctl poweroff; exit; }
. /mnt/paths
mkdir -p "$WC_TEST_SOURCE" && mount --bind /mnt/source "$WC_TEST_SOURCE"
[ "$WC_TEST_BUILD" = none ] || { mkdir -p "$WC_TEST_BUILD" && mount --bind /mnt/build "$WC_TEST_BUILD"; }
export WC_TEST_SOURCE WC_TEST_BUILD HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin
cd /tmp
boots=$(cat /var/lib/guest/boots 2>/dev/null || echo 0)
export WC_GUEST_BOOT="$boots"
echo $((boots + 1)) >/var/lib/guest/boots
ip link set lo up
/bin/sh /mnt/work
code=$?
if [ "$code" = 75 ]; then
    echo "guest: reboot"
    sync
    systemctl reboot
else
    echo "guest: exit $code"
    systemctl poweroff
fi
