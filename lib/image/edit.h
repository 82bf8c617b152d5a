/* SPDX-License-Identifier: Apache-2.0 */
/* New images from others: layers on top, another config. Blobs that are not new are not touched.
 * Specification: OCI image-spec 1.1. */
#ifndef WCI_IMAGE_EDIT_H
#define WCI_IMAGE_EDIT_H

#include "image/config.h"
#include "layer/layer.h"
#include "store/store.h"

/* Where the content of a new layer comes from. */
typedef struct wci_edit_layer {
    char *path;      /* a directory, or a tar, which may be compressed */
    int is_tar;
    wci_strv skip;   /* for directories: paths that are left out when they are empty files or directories */
} wci_edit_layer;

typedef struct wci_edit {
    char *base; /* name or id; NULL: nothing below */
    wci_strv env, labels, annotations; /* "NAME=value" */
    wci_strv ports, volumes;
    wci_strv entrypoint, cmd;
    wci_strv instructions; /* lines of a Dockerfile, after all the others */
    int has_entrypoint, has_cmd; /* they replace, also by nothing */
    char *user, *workdir, *stop_signal, *platform;
    char *author, *comment, *created_by;
    int64_t created_ns; /* negative: $SOURCE_DATE_EPOCH, or now */
    wci_codec codec;
    wci_edit_layer *layers;
    size_t layer_count, layer_cap;
    char *old_base, *new_base; /* names or ids: the layers of the one give way to those of the other */
    int squashes;              /* the last squash_count layers become one; 0: all of them */
    size_t squash_count;
    int recompresses;          /* the base's layers, too, are to have the codec */
    wci_strv dropped;          /* keys of annotations that go */
} wci_edit;

#define WCI_EDIT_INIT {.created_ns = -1, .codec = WCI_CODEC_GZIP}

/* Takes the skip list over, also on failure. */
int32_t wci_edit_add_layer(wci_edit *edit, const char *path, int is_tar, wci_strv *skip, wc_error **err);
void wci_edit_free(wci_edit *edit);
/* Makes the image; `name` may be NULL. */
int32_t wci_edit_apply(wc_call *call, wci_store *store, const wci_edit *edit, const char *name,
                       wci_image_record **out, wc_error **err);
/* Writes the whole file system that the image would have as one plain tar. */
int32_t wci_edit_export(wc_call *call, wci_store *store, const wci_edit *edit, const wci_sink *to, wc_error **err);

#endif
