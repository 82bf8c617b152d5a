/* SPDX-License-Identifier: Apache-2.0 */
/* What a container mounts besides its root, as far as it needs us: volumes that are to be filled or mounted first,
 * images, and what changes hands. The runtime mounts the rest, and for cp so do we. */
#ifndef WC_HELPER_VOLUMES_H
#define WC_HELPER_VOLUMES_H

#include <jansson.h>

#include "backend/process/linux/helper/helper.h"
#include "platform/file.h"

typedef struct volume {
    size_t number; /* its place, when it needs one, is run_dir/volumes/<number> */
    char *type;    /* "volume", "image", "bind" */
    char *name;    /* for people, and for the lock of a volume */
    char *target;  /* in the container */
    char *source;  /* of a bind; of a volume the directory that holds `data`, `copy` and `whole` */
    char *subpath; /* below that, or "" */
    char *label;   /* "z", "Z" or "" */
    char *fs_type, *device, *fs_options; /* what is mounted in the volume's place; "": nothing */
    wci_strv layers;                     /* of an image, the lowest first */
    int copy;                            /* an empty volume gets what the image has there */
    int owner;                           /* it is given to the container's user */
    int read_only;
} volume;

/* In the state directory: the volumes were filled, which happens once for each container. */
#define VOLUMES_FILLED "filled"

/* {"uid", "gid", "mounts": [{"number", "type", …}]} as lib/container/mount_request.c writes it; NULL: none. */
int32_t volumes_read(json_t *storage, request *out, wc_error **err);
void volumes_free(request *req);

/* Before the runtime starts: fills, mounts places, gives away. The root must be mounted, and the working directory be
 * the run directory. */
int32_t volumes_prepare(const request *req, wc_error **err);
/* After that mounts all of them on the root, which must be ours alone, as the runtime does for the container. */
int32_t volumes_mount(const request *req, wc_error **err);
/* Takes the places away. */
void volumes_unmount(const char *run_dir);

/* ---- volume_fill.c, volume_place.c, volume_attrs.c ------------------------------------------------ */

/* Copies what `root` has at the target into the volume, of which `base` is the directory, if that is empty. */
int32_t volume_fill(const request *req, const volume *v, wci_fd root, const char *base, wc_error **err);
/* 1: it is mounted at its place, and not taken where it lies. */
int volume_has_place(const volume *v);
char *volume_place(const request *req, const volume *v); /* owned */
/* Mounts what its options, or its image, say at its place. */
int32_t volume_mount_place(const request *req, const volume *v, wc_error **err);
/* Then, or from where it lies, what is at the subpath. */
int32_t volume_mount_subpath(const request *req, const volume *v, const char *base, wc_error **err);
int32_t volume_give(const request *req, const volume *v, const char *path, wc_error **err);

#endif
