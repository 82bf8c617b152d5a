/* SPDX-License-Identifier: Apache-2.0 */
/* Which builds of Windows run images of which other builds. Specification: Microsoft's table "Windows container version
 * compatibility", as containerd applies it. */
#ifndef WCI_IMAGE_WINDOWS_H
#define WCI_IMAGE_WINDOWS_H

#include <stddef.h>

#include "core/str.h"

typedef enum wci_isolation {
    WCI_ISOLATION_PROCESS, /* by the kernel of the host, whose build counts */
    WCI_ISOLATION_HYPERV,  /* by a kernel of its own; also older ones run so */
} wci_isolation;

/* "10.0.17763.1" is of build 17763 and revision 1; 0 when there is none. */
unsigned wci_windows_build(const char *version);
unsigned wci_windows_revision(const char *version);

/* Whether it is "10.0.BUILD" or "10.0.BUILD.REVISION". */
int wci_windows_is_version(const char *text);

int wci_windows_runs(unsigned host, unsigned image, wci_isolation isolation);
/* Appends why a host runs none of these builds, and what would run. */
void wci_windows_explain(unsigned host, wci_isolation isolation, const unsigned *builds, size_t count, wci_str *out);

#endif
