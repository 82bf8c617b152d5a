/* SPDX-License-Identifier: Apache-2.0 */
/* What belongs together: an index with everything below it, or one manifest, and what refers to them. */
#ifndef WCI_IMAGE_GRAPH_H
#define WCI_IMAGE_GRAPH_H

#include "image/outlet.h"

typedef struct wci_node {
    wci_raw raw;
    wci_document *document;
    wci_role role;
    char *tag;          /* of what is tagged */
    wci_digest subject; /* of a referrer */
} wci_node;

/* Each document once for each role. What a document refers to comes before it, but for the subjects of referrers;
 * companions come after the root. */
typedef struct wci_graph {
    wci_node *nodes;
    size_t count, cap;
    size_t root;    /* its place */
    wci_raw origin; /* the index that the root is a part of; body NULL: the root is as it came */
    size_t bytes;
} wci_graph;

#define WCI_GRAPH_INIT {.origin = WCI_RAW_INIT}
void wci_graph_free(wci_graph *graph);

/* Whether the transfer is of an index rather than of one of its images. */
int wci_transfer_is_of_index(const wci_transfer *transfer);
/* From the origin's root, or where the transfer chooses platforms from what is left of it. `store` (may be NULL) is
 * asked first for the documents. WC_E_PLATFORM, WC_E_UNSUPPORTED. */
int32_t wci_graph_load(wc_call *call, wci_store *store, wci_origin *origin, size_t image, const wci_transfer *transfer,
                       wci_graph *out, wc_error **err);
/* Of one manifest alone. */
int32_t wci_graph_of(const wci_raw *manifest, wci_graph *out, wc_error **err);
/* Adds what refers to any of the documents, and what cosign has tagged for it: referrers.c. */

/* The same as far as the transfer wants it; where it is only tried, what fails leaves a warning. */
int32_t wci_graph_take_companions(wc_call *call, wci_store *store, wci_origin *origin, const wci_transfer *transfer,
                                  wci_graph *graph, wc_error **err);

/* All blobs of all manifests, each once; the list is the caller's, its items the graph's. `without` (may be NULL) is a
 * manifest that does not count. */
int32_t wci_graph_blobs(const wci_graph *graph, const wci_digest *without, const wci_descriptor ***out, size_t *count,
                        wc_error **err);
/* All documents, and these blobs of theirs. */
int32_t wci_graph_hold(wc_call *call, wci_hold *hold, const wci_graph *graph, const wci_descriptor *const *blobs,
                       size_t count, wc_error **err);
wci_cargo wci_node_cargo(const wci_node *node, const wci_strv *names);

typedef struct wci_wanted {
    const wci_platform *platforms;
    size_t count;
    wci_isolation isolation;
} wci_wanted;

/* Platforms "linux/amd64, linux/arm64" of an index, reduced to those that fit the wanted ones best, with their
 * attestations. *out is `index` itself, once more, when nothing has to go. WC_E_PLATFORM names what is missing. */
int32_t wci_index_reduce(const wci_raw *index, const wci_document *document, const wci_wanted *wanted,
                         wci_raw *out, wc_error **err);

/* ---- For referrers.c ------------------------------------------------------------------------------ */

/* How the documents come. */
typedef struct wci_graph_reader {
    wc_call *call;
    wci_store *store;
    wci_origin *origin;
    wci_graph *graph;
} wci_graph_reader;

/* Adds a document with everything below it, unless it is there in this role; as tagged it may be there often. Takes `raw` over, also on failure. */
int32_t wci_graph_add(const wci_graph_reader *reader, wci_raw *raw, wci_role role, wc_error **err);
int wci_graph_has(const wci_graph *graph, const wci_digest *digest, wci_role role);
/* Forgets all but the first `count`, the root among them. */
void wci_graph_cut(wci_graph *graph, size_t count);

#endif
