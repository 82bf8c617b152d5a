/* SPDX-License-Identifier: Apache-2.0 */
/* Container Device Interface: devices that a vendor describes in a file of the host. Versions 0.3 to 0.8 of the
 * specification, as JSON; a description in YAML is told by name. */
#ifndef WCI_CDI_H
#define WCI_CDI_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "core/str.h"

/* "vendor.com/class=name", or WC_E_INVALID. */
int32_t wci_cdi_check_name(const char *name, wc_error **err);

/* Edits the runtime document as the descriptions of the devices say. Files are looked for in /etc/cdi and
 * /var/run/cdi; a device of the latter goes before one of the former. WC_E_NOT_FOUND when nobody describes one. */
int32_t wci_cdi_apply(const wci_strv *names, json_t *spec, wc_error **err);

/* ---- Parts, for tests ---- */

/* The same with other directories, the last counts most. */
int32_t wci_cdi_apply_from(const char *const *dirs, size_t count, const wci_strv *names, json_t *spec, wc_error **err);
/* One description; owned json. `what` names it in errors. WC_E_FORMAT. */
int32_t wci_cdi_parse(const char *text, size_t size, const char *what, json_t **out, wc_error **err);
/* What one containerEdits object, which may be NULL, changes. */
int32_t wci_cdi_edit(json_t *edits, const char *what, json_t *spec, wc_error **err);

#endif
