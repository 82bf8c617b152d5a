/* SPDX-License-Identifier: Apache-2.0 */
/* What the calls of one context share of the network: how many transfers there are at once, and how
 * many bytes go in a second. Any thread; NULL is traffic without bounds. */
#ifndef WCI_TRAFFIC_H
#define WCI_TRAFFIC_H

#include <stdint.h>

#include <wincontainer/error.h>

typedef struct wci_traffic wci_traffic;

/* 0: no bound. */
int32_t wci_traffic_new(uint32_t max_transfers, uint64_t bytes_per_second, wci_traffic **out,
                        wc_error **err);
void wci_traffic_free(wci_traffic *traffic);

/* 1: a transfer may begin, and is to be followed by wci_traffic_leave(). 0: ask again later. */
int wci_traffic_enter(wci_traffic *traffic);
void wci_traffic_leave(wci_traffic *traffic);

/* Counts bytes that have come or are about to go. When to go on, on the monotonic clock; 0: at once. */
int64_t wci_traffic_reserve(wci_traffic *traffic, uint64_t bytes);

#endif
