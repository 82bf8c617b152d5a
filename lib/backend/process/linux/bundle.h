/* SPDX-License-Identifier: Apache-2.0 */
/* Completes an OCI runtime configuration with what only the backend knows. */
#ifndef WCI_PROCESS_BUNDLE_H
#define WCI_PROCESS_BUNDLE_H

#include <wincontainer/error.h>

/* `spec` gets root.path, the control group `group`, limits that this host allows, and, with `init`
 * (path of a program, or NULL), that program as first process; with `run_dir` (or NULL) the network
 * namespace that is bound there, and the user namespace of that; `settings` is the container's configuration. *out is owned text. */
int32_t wci_bundle_config(const char *spec, const char *group, const char *rootfs, const char *init,
                          const char *run_dir, const char *settings, char **out, wc_error **err);
/* The same for the process object of an exec: limits only. */
int32_t wci_bundle_process(const char *process, char **out, wc_error **err);

#endif
