/* SPDX-License-Identifier: Apache-2.0 */
/* One handle of every kind, and what each function of the library does with them in a forked child. */
#ifndef FORK_HANDLES_H
#define FORK_HANDLES_H

#include "host/host_cycle.h"

typedef struct handles {
    wc_cancel *cancel;
    wc_image *image;
    wc_container *container; /* runs: outln:up cat exit:6 */
    wc_container_info *info;
    wc_stream *stream; /* all three */
    wc_process *process; /* cat exit:5 */
    wc_stream *process_stream;
    wc_logs *logs; /* follows */
    wc_events *events;
    wc_event *event;
    wc_list *list;
    wc_container_options *options;
    wc_transfer_options *transfer;
    wc_image_edit *edit;
    wc_artifact *artifact;
    wc_volume *volume;
    wc_stats_reader *stats;
    wc_network *network;
    wc_group *group;
} handles;

/* The harness's `context` is the parent's; the image is in the store. */
void handles_open(handles *h);
/* Everything that was opened still does what it should, to the exit codes; releases it. */
void handles_use_up(handles *h);
/* Drops them all, the first or the last opened first; no context. */
void handles_drop(handles *h, int backwards);

/* In a child: tries every function on what it inherited. Writes what is wrong, a line each. */
void handles_try_all(handles *h, wc_context *inherited, FILE *complaints);
/* Every function of the map is tried there, or known to be usable in a child. */
void handles_check_complete(const char *map);

#endif
