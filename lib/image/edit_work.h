/* SPDX-License-Identifier: Apache-2.0 */
/* An image being made, shared by edit.c, edit_stack.c and edit_documents.c. */
#ifndef WCI_IMAGE_EDIT_WORK_H
#define WCI_IMAGE_EDIT_WORK_H

#include <jansson.h>

#include "image/edit.h"
#include "image/own_layout.h"
#include "layer/merged.h"

/* One layer of the new image. */
typedef struct wci_edit_item {
    wci_digest digest, diff_id;
    json_t *descriptor; /* as the manifest is to have it */
    int is_new;         /* its blob lies in the layout that is being made, else in the store */
} wci_edit_item;

/* An image of the store, with what its documents say. */
typedef struct wci_edit_source {
    wci_image_record *record; /* NULL: nothing */
    char *name;               /* that it was found by, or NULL */
    json_t *config, *manifest;
} wci_edit_source;

typedef struct wci_edit_work {
    wc_call *call;
    wci_store *store;
    const wci_edit *edit;
    wci_hold *hold;
    wci_edit_source base, old_base, new_base;
    wci_own_layout layout; /* what it shares with its base is missing in it */
    wci_edit_item *items;
    size_t count, cap;
    size_t added;    /* layers that are the edit's own */
    size_t squashed; /* layers that became one, which is the last */
    int64_t created_ns;
    int64_t latest_sec; /* of files, negative: any */
} wci_edit_work;

/* The layers, with their blobs: those of the base, moved to another one, with new ones on top, squashed,
 * compressed anew. */
int32_t wci_edit_stack_make(wci_edit_work *w, wc_error **err);
/* The same for a tar of the file system: nothing is compressed. */
int32_t wci_edit_stack_collect(wci_edit_work *w, wc_error **err);
/* The layers as wci_merged_read() takes them. */
wci_tar_stack wci_edit_stack_tars(wci_edit_work *w);
/* Whether the layers can be "squashed" or what else is said; those of Windows have more than a merged tree can tell. */
int32_t wci_edit_check_mergeable(const wci_edit_work *w, const char *what, wc_error **err);

/* Writes config, manifest and index of the layout; tells the platform. */
int32_t wci_edit_documents_write(wci_edit_work *w, wci_platform *platform, wc_error **err);

#endif
