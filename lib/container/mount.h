/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts that the user asks for: checking them and turning their flags into mount options. */
#ifndef WCI_MOUNT_H
#define WCI_MOUNT_H

#include <stdint.h>

#include "container/config.h"

/* Flags that only the library sets: of a volume without a name of the user's, and of an image, the manifest that its
 * name led to when the container was created. */
#define WCI_MOUNT_ANONYMOUS "anonymous"
#define WCI_MOUNT_IMAGE "manifest"

/* Checks and appends one mount. The target is cleaned ("/a/../b/" is "/b"). A target that is there
 * already is WC_E_INVALID, as in Docker. */
int32_t wci_mount_add(wci_config *config, const char *type, const char *source, const char *target,
                      const char *flags, wc_error **err);
/* Lexically cleaned absolute path, owned; ".." stops at the root. NULL: out of memory. */
char *wci_clean_path(const char *path);
/* NULL: none is there. */
wci_mount *wci_mount_find_target(const wci_config *config, const char *target);
/* Every bind source must exist, but those to be made: WC_E_NOT_FOUND. */
int32_t wci_mounts_check_sources(const wci_config *config, wc_error **err);
/* Before a start: bind sources that are to be made when they are missing, as directories. */
int32_t wci_mounts_make_sources(const wci_config *config, wc_error **err);

/* ---- mount_flags.c ------------------------------------------------------------------------------ */

int32_t wci_mount_check_type(const char *type, wc_error **err);
/* The type's defaults, overridden by the comma-separated flags, which may be NULL. */
int32_t wci_mount_flags(const char *type, const char *flags, wci_strv *options, wc_error **err);
/* Adds one, dropping those that it overrides. 0 or WC_E_NOMEM. */
int wci_mount_set_flag(wci_strv *options, const char *option);
int wci_mount_has(const wci_mount *mount, const char *flag);
/* Of "key=value"; lent, NULL: not there. */
const char *wci_mount_value(const wci_mount *mount, const char *key);
/* 1: not for the OCI runtime. */
int wci_mount_flag_is_ours(const char *option);

#endif
