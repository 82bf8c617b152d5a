/* SPDX-License-Identifier: Apache-2.0 */
/* The user namespace of an ordinary user. There is one for each run root while something in it lives, so that what the
 * roles make for one container others can enter; whoever comes first makes it, with the ids of /etc/subuid and
 * /etc/subgid, or with one id where there are none. Those who stay are written down as RUN_ROOT/userns/PID-START. */
#ifndef WC_HELPER_USER_H
#define WC_HELPER_USER_H

#include <stdint.h>

#include <wincontainer/error.h>

/* Enters it, as root of it; nothing happens when we are root already. `stays`: others can follow us in. The process is
 * the same one afterwards, and may do there what root may. */
int32_t user_enter(const char *run_root, int stays, wc_error **err);
/* At the end of one that stays. */
void user_leave(const char *run_root);

#endif
