/* SPDX-License-Identifier: Apache-2.0 */
/* System call filters: the default profile, and profiles in Docker's format, as the `linux.seccomp`
 * object of the OCI runtime specification. */
#ifndef WCI_SECCOMP_H
#define WCI_SECCOMP_H

#include <jansson.h>
#include <stdint.h>

#include "core/str.h"

/* `caps`: the container's bounding set. `setting` as in wci_config: "default" or a profile's JSON
 * text; "unconfined" gives *out NULL. */
int32_t wci_seccomp_make(const char *setting, const wci_strv *caps, json_t **out, wc_error **err);
/* A profile that a user gave: WC_E_FORMAT names what is wrong in it. */
int32_t wci_seccomp_check(const char *text, size_t size, const char *what, wc_error **err);
#define WCI_SECCOMP_MAX ((size_t)1 << 20)

#endif
