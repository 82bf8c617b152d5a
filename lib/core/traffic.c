/* SPDX-License-Identifier: Apache-2.0 */
#include "core/traffic.h"

#include "core/alloc.h"
#include "core/error.h"
#include "platform/host.h"
#include "platform/thread.h"

#define NS_PER_S 1000000000LL
/* Pauses in the traffic are made up for, but not more than this. */
#define BURST_NS (NS_PER_S / 10)

struct wci_traffic {
    wci_mutex mutex;
    uint32_t max_transfers, transfers;
    uint64_t bytes_per_second;
    int64_t free_at_ns; /* when the bytes so far have had their time */
};

int32_t wci_traffic_new(uint32_t max_transfers, uint64_t bytes_per_second, wci_traffic **out,
                        wc_error **err)
{
    wci_traffic *traffic = wci_calloc(1, sizeof *traffic);
    if (!traffic)
        return wci_err_nomem(err);
    wci_mutex_init(&traffic->mutex);
    traffic->max_transfers = max_transfers;
    traffic->bytes_per_second = bytes_per_second;
    *out = traffic;
    return WC_OK;
}

void wci_traffic_free(wci_traffic *traffic)
{
    if (!traffic)
        return;
    wci_mutex_destroy(&traffic->mutex);
    wci_free(traffic);
}

int wci_traffic_enter(wci_traffic *traffic)
{
    if (!traffic || !traffic->max_transfers)
        return 1;
    wci_mutex_lock(&traffic->mutex);
    int has_room = traffic->transfers < traffic->max_transfers;
    traffic->transfers += has_room;
    wci_mutex_unlock(&traffic->mutex);
    return has_room;
}

void wci_traffic_leave(wci_traffic *traffic)
{
    if (!traffic || !traffic->max_transfers)
        return;
    wci_mutex_lock(&traffic->mutex);
    traffic->transfers--;
    wci_mutex_unlock(&traffic->mutex);
}

static int64_t time_of(uint64_t bytes, uint64_t bytes_per_second)
{
    return (int64_t)((double)bytes * (double)NS_PER_S / (double)bytes_per_second);
}

int64_t wci_traffic_reserve(wci_traffic *traffic, uint64_t bytes)
{
    if (!traffic || !traffic->bytes_per_second)
        return 0;
    int64_t now = wci_monotonic_ns();
    wci_mutex_lock(&traffic->mutex);
    if (traffic->free_at_ns < now - BURST_NS)
        traffic->free_at_ns = now - BURST_NS;
    traffic->free_at_ns += time_of(bytes, traffic->bytes_per_second);
    int64_t until = traffic->free_at_ns;
    wci_mutex_unlock(&traffic->mutex);
    return until > now ? until : 0;
}
