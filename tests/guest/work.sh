#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Does what is asked of the guest and says how it went, on the second serial line. What ends with 75 is begun again after a
# reboot.
exec >/dev/ttyS1 2>&1 </dev/null
. /mnt/paths
export WC_TEST_SOURCE WC_TEST_BUILD HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin
WC_GUEST_BOOT=$(cat /var/lib/guest/boots 2>/dev/null || echo 0)
export WC_GUEST_BOOT
echo $((WC_GUEST_BOOT + 1)) >/var/lib/guest/boots
cd /tmp
/bin/sh /mnt/work
code=$?
sync
if [ "$code" = 75 ]; then
    echo "guest: reboot"
    systemctl reboot
else
    echo "guest: exit $code"
    systemctl poweroff
fi
