/* SPDX-License-Identifier: Apache-2.0 */
/* The head of an HTTP answer and the values in it that we read ourselves. RFC 9110; the "Range" of
 * uploads is that of the OCI distribution specification. */
#ifndef WCI_REGISTRY_HEADERS_H
#define WCI_REGISTRY_HEADERS_H

#include <stddef.h>
#include <stdint.h>

#include "core/str.h"

/* The status of "HTTP/1.1 200 OK"; 0 when there is none in it. */
long wci_headers_status(const char *line, size_t size);
/* Keeps a line without its end as "name: value", one space, the name in lower case; lines of another
 * form and lines with bytes that no header may have are dropped. Not WC_OK: out of memory. */
int wci_headers_add(wci_strv *headers, const char *line, size_t size);
/* The n-th value of that name (lower case), lent, or NULL. */
const char *wci_headers_get(const wci_strv *headers, const char *name, size_t n);

/* "bytes FROM-TO/TOTAL", where TOTAL may be a star or absent: *total is UINT64_MAX then. 0: malformed. */
int wci_header_content_range(const char *text, uint64_t *from, uint64_t *total);
/* How many bytes of an upload have arrived: "0-99", in the wild also "bytes=0-99", are 100. 0: malformed. */
int wci_header_upload_range(const char *text, uint64_t *arrived);
/* A Content-Type without its parameters, in lower case; owned. NULL: out of memory. */
char *wci_header_media_type(const char *text);

#endif
