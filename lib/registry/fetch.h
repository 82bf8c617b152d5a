/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of wci_remote_fetch(): fetch.c has the blobs one after the other in one request each,
 * fetch_parts.c a large one in several at once. */
#ifndef WCI_REGISTRY_FETCH_H
#define WCI_REGISTRY_FETCH_H

#include "registry/remote.h"

typedef struct wci_job wci_job;
typedef struct wci_part wci_part;

/* One request at a time. It holds a place among the transfers of the context while it runs. */
typedef struct wci_leg {
    wci_job *job;
    wci_part *part; /* NULL: the whole rest */
    wci_exchange ex;
    int is_running;
} wci_leg;

typedef enum wci_job_state {
    WCI_JOB_WAITING,
    WCI_JOB_RUNNING,
    WCI_JOB_IN_PARTS,
    WCI_JOB_ENDED,
} wci_job_state;

struct wci_job {
    wci_fetch *fetch;
    wci_leg leg;
    char *path;
    char *what;            /* "blob 'sha256:…'" */
    wci_job_state state;
    size_t urls_tried;
    uint64_t have;         /* bytes the taker has */
    uint64_t had;          /* … when this attempt began */
    int64_t began_ns;      /* … and when that was */
    uint64_t skip;         /* bytes of this answer that the taker has already */
    uint64_t asked_from;   /* the Range of this attempt */
    int no_range;          /* this server cannot resume */
    int no_parts;          /* … or was tried in vain */
    int resumed, fresh;
    wci_part *parts;       /* while in parts */
    size_t part_count;
    uint64_t next_from;    /* what no part has been given yet */
};

typedef struct wci_batch {
    wc_call *call;
    wci_remote *remote;
    wci_job *jobs;
    size_t count, running, left;
} wci_batch;

/* *started 0: the context has too many transfers already. */
int32_t wci_leg_start(wci_batch *b, wci_leg *leg, uint64_t from, uint64_t end, int *started,
                      wc_error **err);
/* After its request is finished, or to end it. */
void wci_leg_stop(wci_batch *b, wci_leg *leg);

/* Bytes for the taker, the next that it has not. */
int32_t wci_job_pass(wci_job *j, const void *data, size_t size, wc_error **err);
/* All bytes have been passed. */
int32_t wci_job_complete(wci_batch *b, wci_job *j, wc_error **err);

/* ---- fetch_parts.c ---------------------------------------------------------------------------- */

/* Turns running jobs that would take long into parts, where there is room for more transfers.
 * *look_again_ms: whether it is worth asking again before anything happens, else unchanged. */
int32_t wci_parts_split(wci_batch *b, int64_t *look_again_ms, wc_error **err);
/* Starts those parts that are due. *wait_ns as far as it is sooner. */
int32_t wci_parts_start(wci_batch *b, wci_job *j, int64_t *wait_ns, wc_error **err);
/* After the request of a part is finished. */
int32_t wci_parts_settle(wci_batch *b, wci_leg *leg, wc_error **err);
/* Forgets all parts; the job goes on in one request, or ends. */
void wci_parts_end(wci_batch *b, wci_job *j);

#endif
