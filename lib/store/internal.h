/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the store share. docs/store.md explains locks, crashes and power cuts. */
#ifndef WCI_STORE_INTERNAL_H
#define WCI_STORE_INTERNAL_H

#include "core/ref.h"
#include "platform/thread.h"
#include "store/db.h"
#include "store/store.h"

struct wci_store {
    wci_ref refs; /* changed under the registry's mutex only */
    char *root, *run_root;
    char *uuid;
    int flags;
    int writable;     /* 0: a newer version lets us read only */
    int wake_readers; /* the running transaction holds events; under the database's mutex */
    int64_t fork_id;
    wci_lock *host_lock;   /* this process and copy of the library have the store open */
    wci_lock *schema_lock; /* shared: nobody may change the schema beyond what we know */
    wci_db *db;
    struct wci_store *next;
};

/* ---- open.c, layout.c ---------------------------------------------------------------------------
 */

/* Directories of the root. */
#define WCI_DB_FILE "db.sqlite"
#define WCI_DIR_BLOBS "blobs"
#define WCI_DIR_INGEST "ingest"
#define WCI_DIR_TREES "trees"
#define WCI_DIR_LINKS "links"
#define WCI_DIR_STAGING "staging"
#define WCI_DIR_CONTAINERS "containers"
#define WCI_DIR_VOLUMES "volumes"
#define WCI_DIR_LOCKS "locks"
#define WCI_DIR_HOLDS "holds"
#define WCI_DIR_HOSTS "hosts"
#define WCI_DIR_QUARANTINE "quarantine"
#define WCI_FILE_WAKE "wake"
#define WCI_FILE_RESERVE "reserve"

int32_t wci_layout_make(const char *root, const char *run_root, wc_error **err);
/* WC_E_UNSUPPORTED for file systems whose locks do not work between hosts or at all. */
int32_t wci_layout_check_fs(const char *root, const char *fs_name, wc_error **err);
/* Keeps room for the database: takes it when the disk has plenty, gives it away when it is nearly full. */
void wci_reserve_open(const wci_store *store);
/* Before a transaction that writes. */
void wci_reserve_check(const wci_store *store);
/* root/dir/name; NULL: out of memory. */
char *wci_store_path(const wci_store *store, const char *dir, const char *name);
/* Lock file of one digest's maker: locks/<prefix><algo>-<hex>. */
char *wci_store_lock_path(const wci_store *store, const char *prefix, const wci_digest *digest);
/* 0 in a forked child, which must leave files and locks alone. */
int wci_store_is_ours(const wci_store *store);

/* As wci_db_begin() and _end(), with the checks for forks and versions, and waking the readers of
 * events. */
int32_t wci_tx_begin(wci_store *store, const wc_call *call, wci_tx_kind kind, wc_error **err);
int32_t wci_tx_end(wci_store *store, int32_t rc, wc_error **err);

/* ---- schema.c -----------------------------------------------------------------------------------
 */

/* One step forward, and the oldest versions of the library that may read and write once it is done.
 * A step that shuts a version out needs the store to itself. */
typedef struct wci_schema_step {
    const char *sql;
    int64_t min_reader, min_writer;
} wci_schema_step;
/* Brings the schema to version `count`, running the steps that are missing, or says with
 * WC_E_VERSION why not. The store's schema lock is held shared afterwards. */
int32_t wci_schema_apply(wc_call *call, wci_store *store, const wci_schema_step *steps,
                         size_t count, wc_error **err);
/* Opens the database, made when absent, and reads the store's uuid. */
int32_t wci_schema_open(wc_call *call, wci_store *store, wc_error **err);

/* ---- ids.c --------------------------------------------------------------------------------------
 */

/* WC_E_PERMISSION when the files are another user's, or of other ids than this one has now. */
int32_t wci_ids_check(wc_call *call, wci_store *store, wc_error **err);

/* ---- scratch.c ----------------------------------------------------------------------------------
 */

/* 1 while the owner of that name lives. */
int wci_scratch_is_owned(const wci_store *store, const char *name);
/* The lock of that name; WC_E_BUSY when somebody has it. */
int32_t wci_scratch_claim(const wci_store *store, const char *name, wci_lock **out, wc_error **err);

/* ---- blob.c, staging.c --------------------------------------------------------------------------
 */

/* Where the blob lies, from a digest that is known to be good. */
char *wci_blob_location(const wci_store *store, const wci_digest *digest);
/* *good 1 when the file has the digest. WC_E_NOT_FOUND. */
int32_t wci_blob_verify(const wc_call *call, const char *path, const wci_digest *digest, int *good,
                        wc_error **err);
/* 1 when the digest is recorded as synced. */
int32_t wci_blob_is_recorded(wci_store *store, const wci_digest *digest, int *recorded,
                             wc_error **err);
/* In a transaction: records a blob that is on disk. WC_E_NOT_FOUND. */
int32_t wci_blob_record(wci_store *store, const wci_digest *digest, wc_error **err);
/* The same of a layer's blob, which is not on disk when the layer says how it comes back. */
int32_t wci_blob_record_layer(wci_store *store, const wci_layer_record *layer, wc_error **err);

const char *wci_tree_dir_name(wci_tree_kind kind); /* WCI_DIR_TREES or WCI_DIR_LINKS */
char *wci_tree_location(const wci_store *store, wci_tree_kind kind, const wci_digest *key);
char *wci_tree_lock_path(const wci_store *store, wci_tree_kind kind, const wci_digest *key);
/* In a transaction: the trees count as there from its end on. NULL elements are skipped. */
int32_t wci_trees_record(wci_store *store, wci_staging **stagings, size_t count, wc_error **err);
/* After that transaction. */
void wci_trees_recorded(wci_staging **stagings, size_t count);

/* ---- event.c ------------------------------------------------------------------------------------
 */

/* In a transaction. `attributes` NULL: "{}". */
int32_t wci_event_put(wci_store *store, const char *type, const char *action, const char *id,
                      const char *attributes, wc_error **err);
/* As above with one attribute "name". */
int32_t wci_event_put_named(wci_store *store, const char *type, const char *action, const char *id,
                            const char *name, wc_error **err);
void wci_event_wake(wci_store *store);

/* ---- usage_parts.c ------------------------------------------------------------------------------
 */

/* In a transaction: what each image and each layer takes. */
int32_t wci_usage_parts_read(wci_store *store, wci_usage_parts *parts, wc_error **err);

/* ---- gc.c ---------------------------------------------------------------------------------------
 */

/* While it lasts no digest becomes held, so what is neither held nor referenced may go. */
typedef struct wci_gc {
    wci_store *store;
    wci_lock *lock;
    wci_strv held; /* sorted */
    wci_scratch trash;
    unsigned thrown;
} wci_gc;
int32_t wci_gc_begin(wc_call *call, wci_store *store, wci_gc *gc, wc_error **err);
int wci_gc_is_held(const wci_gc *gc, const char *digest);
/* Moves a path of the root out of sight. WC_OK when it was not there. */
int32_t wci_gc_throw(wci_gc *gc, const char *path, wc_error **err);
/* Lets others go on, then deletes what was thrown away; adds its size to *bytes (may be NULL). */
void wci_gc_end(wci_gc *gc, uint64_t *bytes);
wci_store *wci_hold_store(const wci_hold *hold);
/* Sorted digests of all live holds; no lock needed when the answer may be a moment old. */
int32_t wci_holds_read(wci_store *store, wci_strv *held, wc_error **err);
int wci_holds_contain(const wci_strv *held, const char *digest);

/* ---- retire.c -----------------------------------------------------------------------------------
 */

/* Moves a damaged file or directory to quarantine/. */
int32_t wci_quarantine(wci_store *store, const char *path, const char *kind, const char *hex,
                       wc_error **err);

/* In a transaction: 1 when an image needs it. */
int32_t wci_blob_is_needed(wci_store *store, const char *digest, int *needed, wc_error **err);
int32_t wci_tree_is_needed(wci_store *store, wci_tree_kind kind, const char *key, int *needed,
                           wc_error **err);

/* ---- mounts.c -----------------------------------------------------------------------------------
 */

/* In a transaction: WC_E_IN_USE while the image is mounted. `shown` is what it is called. */
int32_t wci_mounts_check_unused(wci_store *store, const char *manifest, const char *shown, wc_error **err);

/* ---- network.c ----------------------------------------------------------------------------------
 */

/* In a transaction: joins a container to a network, after its others. WC_E_EXISTS. */
int32_t wci_endpoint_put(wci_store *store, const char *container, const char *network, const char *config,
                         wc_error **err);

/* ---- kept.c -------------------------------------------------------------------------------------
 */

/* In a transaction: the rows, and that the blobs are on disk. WC_E_NOT_FOUND. */
int32_t wci_kept_record(wci_store *store, const wci_kept_list *list, wc_error **err);
/* In a transaction, after names or images have changed: rows that are not in force any more go, lest they come back
 * into force without their blobs. */
int32_t wci_kept_sweep(wci_store *store, wc_error **err);
/* In a transaction: the name leads to an index, and by it to the image. */
int32_t wci_name_set_index(wci_store *store, const char *name, const wci_digest *manifest, const wci_digest *index,
                           wc_error **err);
/* In a transaction. WC_E_NOT_FOUND. */
int32_t wci_name_drop(wci_store *store, const char *name, wc_error **err);

/* ---- image.c, remove.c --------------------------------------------------------------------------
 */

/* In a transaction: whether the image is gone or has not exactly the names of `seen` any more. */
int32_t wci_image_has_changed(wci_store *store, const wci_image_record *seen, int *changed, wc_error **err);

/* In a transaction: what all images take, blobs and trees. */
int32_t wci_images_bytes(wci_store *store, uint64_t *bytes, wc_error **err);
/* Removes the image while gc lasts; lines as wci_image_remove(). */
int32_t wci_image_drop(wc_call *call, wci_gc *gc, const wci_digest *manifest, int force,
                       wci_strv *removed, wc_error **err);

/* ---- litter.c -----------------------------------------------------------------------------------
 */

/* What nobody needs: paths below the root, and the rows that go with them. */
typedef struct wci_litter {
    wci_strv paths;
    wci_strv scratch;  /* names of scratch directories whose owner seemed dead: to be claimed first */
    wci_strv blobs;    /* digests of rows in `blobs` */
    wci_strv trees[2]; /* keys of rows in `trees`, by wci_tree_kind */
} wci_litter;
int32_t wci_litter_find(wc_call *call, wci_store *store, const wci_strv *held, int what,
                        wci_litter *out, wc_error **err);
void wci_litter_free(wci_litter *litter);

/* The event with the container's labels, name and image, over which `attributes` (JSON or NULL) go; in a transaction. */
int32_t wci_container_put_event(wci_store *store, const char *action, const char *id, const char *attributes,
                                wc_error **err);

#endif
