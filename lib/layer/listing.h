/* SPDX-License-Identifier: Apache-2.0 */
/* What a plain tree held when it was made, and what has become of it. */
#ifndef WCI_LAYER_LISTING_H
#define WCI_LAYER_LISTING_H

#include "core/call.h"
#include "layer/records.h"
#include "platform/tree.h"

/* Writes to the new file `path` (records.h) what the tree holds, devices, pipes and sockets left out. */
int32_t wci_listing_write(const wc_call *call, wci_fd root, const char *path, wc_error **err);

typedef enum wci_item_state {
    WCI_ITEM_SAME,
    WCI_ITEM_MODE,    /* nothing else than the mode is another one */
    WCI_ITEM_CHANGED, /* content or target */
    WCI_ITEM_GONE,    /* or of another type by now: then there is a new one of the same path */
    WCI_ITEM_NEW,
} wci_item_state;

typedef struct wci_item {
    const char *path;
    const char *was; /* as it is listed; NULL: new */
    char *now;       /* in the same form; NULL: as it was, or gone */
    wci_record_kind kind;
    wci_item_state state;
    wci_node_info info; /* of what there is */
    /* For whoever packs the tree: */
    int is_written;
    int is_needed;  /* its headers are */
    wc_buf *header; /* then they are kept here */
} wci_item;

typedef struct wci_survey {
    wci_records records;
    wci_item *listed; /* by path */
    size_t listed_count;
    wci_item *added; /* by path */
    size_t added_count, added_cap;
    wci_strv added_paths; /* what their paths are kept in */
    size_t changed, deleted;
} wci_survey;

/* Compares the tree with a listing, which is an open file. For layers of Windows (`windows`) modes mean nothing, and
 * the alternate streams of what is gone are gone, too. WC_E_CORRUPT for a listing that is damaged. */
int32_t wci_survey_take(const wc_call *call, wci_fd root, wci_fd listing, const char *what, int windows,
                        wci_survey *out, wc_error **err);
void wci_survey_free(wci_survey *survey);
/* By path, or NULL. */
wci_item *wci_survey_listed(const wci_survey *survey, const char *path);
wci_item *wci_survey_added(const wci_survey *survey, const char *path);
/* The first of those added that is not before `path`. */
size_t wci_survey_added_from(const wci_survey *survey, const char *path);
/* Whether two names that were listed with the same content have the same now. */
int wci_items_are_one(const wci_item *a, const wci_item *b);
/* Of a file that was listed and is there. */
int wci_item_has_other_mode(const wci_item *item);
/* 1: nothing has changed. */
int wci_survey_is_same(const wci_survey *survey);

#endif
