/* SPDX-License-Identifier: Apache-2.0 */
/* The default profile of AppArmor, which the kernel forgets at each boot. */
#ifndef WC_HELPER_APPARMOR_H
#define WC_HELPER_APPARMOR_H

#include "backend/process/linux/helper/helper.h"
#include "backend/process/linux/helper/job.h"

/* Loads the profile, unless that is done or the container does without. WC_E_MISSING without apparmor_parser. */
int32_t apparmor_prepare(const request *req, jobs *queue, wc_error **err);
/* The profile as text; owned, NULL: out of memory. `dir`: where the host's parts of profiles are. */
char *apparmor_profile(const char *dir);

#endif
