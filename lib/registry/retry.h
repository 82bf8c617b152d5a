/* SPDX-License-Identifier: Apache-2.0 */
/* When to try again, and how long to wait before. */
#ifndef WCI_REGISTRY_RETRY_H
#define WCI_REGISTRY_RETRY_H

#include <stdint.h>

/* 408, 429 and the 5xx that pass. */
int wci_retry_status(long status);
/* Exponential from 200 ms to 10 s, with jitter: between half and the whole. */
int64_t wci_retry_backoff_ms(uint32_t attempt);
/* What a Retry-After value (seconds or an HTTP date) asks for, clamped to 0 … 60 s; -1 when absent
 * (NULL), past, negative or malformed. */
int64_t wci_retry_after_ms(const char *value, int64_t now_ns);

#endif
