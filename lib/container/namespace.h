/* SPDX-License-Identifier: Apache-2.0 */
/* Which of its namespaces a container has for itself, and which it shares. The network is network/mode.h. */
#ifndef WCI_NAMESPACE_H
#define WCI_NAMESPACE_H

#include "container/config.h"

typedef enum wci_ns_kind { WCI_NS_PID, WCI_NS_IPC, WCI_NS_UTS, WCI_NS_CGROUP, WCI_NS_USER, WCI_NS_KINDS } wci_ns_kind;

typedef enum wci_ns_mode {
    WCI_NS_PRIVATE,
    WCI_NS_SHAREABLE, /* ipc alone: private, but others may join it */
    WCI_NS_NONE,      /* ipc alone: private, and without /dev/shm */
    WCI_NS_HOST,
    WCI_NS_CONTAINER, /* another container's: "container:NAME" */
} wci_ns_mode;

/* By the name of the OCI runtime specification: "pid". WC_E_INVALID. */
int32_t wci_ns_kind_parse(const char *text, wci_ns_kind *out, wc_error **err);
const char *wci_ns_kind_name(wci_ns_kind kind);
/* "" is what Docker takes by default. WC_E_INVALID. */
int32_t wci_ns_mode_parse(wci_ns_kind kind, const char *text, wci_ns_mode *out, wc_error **err);
/* NAME of "container:NAME". */
const char *wci_ns_mode_target(const char *text);

char **wci_ns_field(wci_config *config, wci_ns_kind kind);
/* Of settings from the store, which are right. */
const char *wci_ns_text(const wci_config *config, wci_ns_kind kind);
wci_ns_mode wci_ns_mode_of(const wci_config *config, wci_ns_kind kind);
/* What the helper mounts there when the ipc namespace is joined. */
#define WCI_RUN_SHM "shm"
/* Where the helper binds another container's namespace, below the run directory; owned. */
char *wci_ns_joined_path(const char *run_dir, wci_ns_kind kind);

#endif
