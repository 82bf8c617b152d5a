/* SPDX-License-Identifier: Apache-2.0 */
/* What containers need of the host: rights of this process, and control groups that it may write. */
#ifndef WCI_PROCESS_NEEDS_H
#define WCI_PROCESS_NEEDS_H

#include <wincontainer/error.h>

/* Each error is WC_E_PERMISSION or WC_E_MISSING and says what to do. */
int32_t wci_needs_root(wc_error **err);
/* Root, or an ordinary user who may have a user namespace; root with the capabilities without which no container can be started or entered. */
int32_t wci_needs_rights(wc_error **err);
/* All that starting a container needs. */
int32_t wci_needs_start(wc_error **err);

/* 1 when programs that root starts from here have the capability, and that outside of user namespaces. */
int wci_needs_has(int capability);

/* Why this may have been refused, and what to do: "this process lacks CAP_MKNOD; …". Owned; NULL when nothing
 * is known to lack. */
char *wci_needs_reason(const char *refused);

#endif
