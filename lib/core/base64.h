/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WCI_BASE64_H
#define WCI_BASE64_H

#include <stddef.h>

/* Owned text, or NULL when out of memory. */
char *wci_base64_encode(const void *data, size_t size);
/* Standard alphabet, padding optional, line ends skipped. The result is zero-terminated and owned;
 * NULL when malformed or out of memory. */
char *wci_base64_decode(const char *text, size_t *size);

#endif
