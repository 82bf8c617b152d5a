/* SPDX-License-Identifier: Apache-2.0 */
/* JSON whose reader must not overlook anything: what it does not know could be what the writer relied on. */
#ifndef WCI_TRUST_STRICT_H
#define WCI_TRUST_STRICT_H

#include <jansson.h>
#include <stdint.h>

#include <wincontainer/error.h>

/* Lists end with NULL. WC_E_FORMAT unless it is an object, has no other keys … */
int32_t wci_strict_keys(json_t *object, const char *const *known, const char *what, wc_error **err);
/* … and all of these, none of them null. */
int32_t wci_strict_exactly(json_t *object, const char *const *keys, const char *what, wc_error **err);
/* A text that must be there. */
int32_t wci_strict_text(json_t *object, const char *key, const char *what, const char **out, wc_error **err);

#endif
