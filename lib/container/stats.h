/* SPDX-License-Identifier: Apache-2.0 */
/* What containers use, and their processes. */
#ifndef WCI_STATS_H
#define WCI_STATS_H

#include <wincontainer/stats.h>

#include "container/container.h"

typedef struct wci_figures {
    int64_t cpu_ns, memory, memory_limit, pids, read_bytes, written_bytes, received_bytes, sent_bytes;
} wci_figures;

struct wc_stats {
    wci_ref refs;
    char id[65];
    char *name, *json;
    int64_t time_ns, nano_cpus;
    wci_figures figures;
};

struct wc_stats_reader {
    wci_ref refs;
    wci_engine *engine;
    wc_container **containers;
    size_t count;
    int64_t interval_ns, last_ns; /* monotonic, 0: never */
    wc_list *before;
};

int32_t wci_ctr_stats(wc_call *call, wc_container *c, wc_stats **out, wc_error **err);
void wci_stats_free(wc_stats *stats);
int32_t wci_stats_open(wci_engine *engine, wc_container *const *containers, size_t count, int64_t interval_ns,
                       wc_stats_reader **out, wc_error **err);
int32_t wci_stats_next(wc_call *call, wc_stats_reader *reader, wc_list **out, wc_error **err);
void wci_stats_reader_free(wc_stats_reader *reader);
int32_t wci_ctr_processes(wc_call *call, wc_container *c, const char *const *ps_args, size_t count, wc_buf **out,
                          wc_error **err);

#endif
