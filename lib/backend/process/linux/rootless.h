/* SPDX-License-Identifier: Apache-2.0 */
/* Containers of ordinary users: what the runtime's document has to leave out, and what cannot be had, by name. */
#ifndef WCI_PROCESS_ROOTLESS_H
#define WCI_PROCESS_ROOTLESS_H

#include <jansson.h>

#include <wincontainer/backend.h>

#include "backend/process/linux/backend.h"
#include "backend/process/linux/cgroup.h"

/* 1 when this process is not root of the host. */
int wci_rootless(void);

/* WC_E_UNSUPPORTED for what the container's configuration asks for and a user cannot have. */
int32_t wci_rootless_check(const wc_request *request, const wci_cgroup *group, wc_error **err);
/* Makes the document of the container, whose configuration is `settings`, one that works in the user's namespace.
 * WC_E_UNSUPPORTED names the limits that it has and that cannot be had. */
int32_t wci_rootless_amend(json_t *spec, const char *cgroup, const char *settings, wc_error **err);
/* The same for the document of one process. */
int32_t wci_rootless_amend_process(json_t *process, wc_error **err);
/* WC_E_UNSUPPORTED when nothing holds control groups of the container: for what needs one, such as "pause". */
int32_t wci_rootless_need_cgroup(const char *what, const char *cgroup, wc_error **err);
/* Why a user has no control groups here, and what to do; lent, static. */
const char *wci_rootless_why_no_cgroup(void);

/* For `system info`; NULL for root. New reference. */
json_t *wci_rootless_json(const process_backend *b);

#endif
