/* SPDX-License-Identifier: Apache-2.0 */
#include <wincontainer/stats.h>

#include "api/context.h"
#include "container/stats.h"

int32_t wc_container_stats(wc_container *container, wc_cancel *cancel, wc_stats **out, wc_error **err)
{
    wc_call call;
    WCI_REQUIRE(container && out, "container or out is NULL");
    int32_t rc = wci_api_begin_engine(container->engine, cancel, &call, err);
    return rc ? rc : wci_ctr_stats(&call, container, out, err);
}

int32_t wc_container_processes(wc_container *container, const char *const *ps_args, size_t count, wc_cancel *cancel,
                               wc_buf **out, wc_error **err)
{
    wc_call call;
    WCI_REQUIRE(container && out, "container or out is NULL");
    WCI_REQUIRE(ps_args || !count, "ps_args is NULL");
    for (size_t i = 0; i < count; i++)
        WCI_REQUIRE(ps_args[i], "one of ps_args is NULL");
    int32_t rc = wci_api_begin_engine(container->engine, cancel, &call, err);
    return rc ? rc : wci_ctr_processes(&call, container, ps_args, count, out, err);
}

/* ---- Reader ------------------------------------------------------------------------------------- */

int32_t wc_stats_open(wc_context *context, wc_container *const *containers, size_t count, int64_t interval_ns,
                      wc_stats_reader **out, wc_error **err)
{
    wc_call call;
    int32_t rc = wci_api_begin(context, NULL, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(out, "out is NULL");
    WCI_REQUIRE(containers || !count, "containers is NULL");
    WCI_REQUIRE(interval_ns > 0, "interval_ns is not above 0");
    for (size_t i = 0; i < count; i++)
        WCI_REQUIRE(containers[i] && containers[i]->engine == context->engine, "one of containers is NULL or of another context");
    return wci_stats_open(context->engine, containers, count, interval_ns, out, err);
}

int32_t wc_stats_next(wc_stats_reader *reader, wc_cancel *cancel, wc_list **out, wc_error **err)
{
    wc_call call;
    WCI_REQUIRE(reader && out, "reader or out is NULL");
    int32_t rc = wci_api_begin_engine(reader->engine, cancel, &call, err);
    return rc ? rc : wci_stats_next(&call, reader, out, err);
}

wc_stats_reader *wc_stats_reader_ref(wc_stats_reader *reader)
{
    if (reader)
        wci_ref_take(&reader->refs);
    return reader;
}

void wc_stats_reader_unref(wc_stats_reader *reader)
{
    if (reader && wci_ref_drop(&reader->refs))
        wci_stats_reader_free(reader);
}

/* ---- Figures ------------------------------------------------------------------------------------ */

const char *wc_stats_id(const wc_stats *stats)
{
    return stats ? stats->id : "";
}

const char *wc_stats_name(const wc_stats *stats)
{
    return stats ? stats->name : "";
}

int64_t wc_stats_time(const wc_stats *stats)
{
    return stats ? stats->time_ns : 0;
}

int64_t wc_stats_nano_cpus(const wc_stats *stats)
{
    return stats ? stats->nano_cpus : 0;
}

#define FIGURE(name, member)                                                                                       \
    int64_t wc_stats_##name(const wc_stats *stats)                                                                 \
    {                                                                                                              \
        return stats ? stats->figures.member : 0;                                                                  \
    }

FIGURE(cpu_time, cpu_ns)
FIGURE(memory, memory)
FIGURE(memory_limit, memory_limit)
FIGURE(pids, pids)
FIGURE(read_bytes, read_bytes)
FIGURE(written_bytes, written_bytes)
FIGURE(received_bytes, received_bytes)
FIGURE(sent_bytes, sent_bytes)

const char *wc_stats_json(const wc_stats *stats)
{
    return stats ? stats->json : "{}";
}

wc_stats *wc_stats_ref(wc_stats *stats)
{
    if (stats)
        wci_ref_take(&stats->refs);
    return stats;
}

void wc_stats_unref(wc_stats *stats)
{
    if (stats && wci_ref_drop(&stats->refs))
        wci_stats_free(stats);
}
