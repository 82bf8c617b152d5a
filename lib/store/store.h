/* SPDX-License-Identifier: Apache-2.0 */
/* The store: one directory on disk that any number of processes use at once, without a daemon.
 *
 *   root/db.sqlite          metadata (images, layers, containers, events)
 *   root/blobs/<algo>/<hex> content, verified, never changed once there
 *   root/ingest/            blobs on their way in; what a killed process left is resumed
 *   root/trees/<hex>/       T: one unpacked layer, by DiffID; `fs/` is the overlay directory and
 *                           `records` what unpacking saw (layer/unpack.h)
 *   root/links/<hex>/       X: the small tree of a chain above T, by ChainID; absent when empty
 *   root/staging/           half-made trees; reclaimed when their owner is gone
 *   root/containers/<id>/   upper and work directories, logs
 *   root/volumes/<name>/    volumes, see store/store_volume.h
 *   root/locks/             one file per digest that somebody is making
 *   root/holds/             one locked file per hold, with the digests that are in use
 *   root/hosts/             one locked file per process that has the store open
 *   root/quarantine/        what a check with repair put aside, until the next prune
 *   root/wake               touched after each commit with events
 *
 * Rules: content becomes visible by rename when it is whole and synced; metadata by one SQLite
 * transaction after that. What is on disk without a row is litter and goes with the next prune,
 * unless somebody holds its digest. A hold is a locked file, so it ends with its process. */
#ifndef WCI_STORE_H
#define WCI_STORE_H

#include <stddef.h>
#include <stdint.h>

#include <wincontainer/memory.h>

#include "core/call.h"
#include "core/digest.h"
#include "core/str.h"
#include "platform/file.h"

typedef struct wci_store wci_store;

enum {
    WCI_STORE_HELPER = 1, /* opened by wc-helper for one record: no host lock, no layout checks */
};
/* Creates what is missing. WC_E_BUSY when a second copy of the library in this process has it
 * open already, WC_E_VERSION when another version needs more than we know, WC_E_UNSUPPORTED on
 * file systems without working locks, by name. Thread-safe afterwards. */
int32_t wci_store_open(wc_call *call, const char *root, const char *run_root, int flags,
                       wci_store **out, wc_error **err);
wci_store *wci_store_ref(wci_store *store);
void wci_store_unref(wci_store *store);
/* Whoever opens the database while nobody has it open reads its log through first. Until *out is released nobody has to:
 * for programs that live long and need the database seldom. */
int32_t wci_store_keep_index(const wci_store *store, wci_lock **out, wc_error **err);
const char *wci_store_root(const wci_store *store);
/* One at a time among all processes of the store does what `prefix` and the digest name. Waits, until the call is
 * cancelled; release with wci_lock_release_remove(). */
int32_t wci_store_lock(wc_call *call, const wci_store *store, const char *prefix, const wci_digest *digest,
                       wci_lock **out, wc_error **err);
const char *wci_store_run_root(const wci_store *store);
const char *wci_store_uuid(const wci_store *store);
/* WC_E_FORKED in a process that inherited the store by fork(). */
int32_t wci_store_check_fork(const wci_store *store, wc_error **err);

/* ---- Holds: "this digest is in use, whatever the metadata says" ------------------------------ */

/* A set of held digests; released together, or by the end of the process. Any thread. */
typedef struct wci_hold wci_hold;
int32_t wci_hold_new(wci_store *store, wci_hold **out, wc_error **err);
/* Keeps GC away from the blob / the trees of this digest (blob digest, DiffID or ChainID). */
int32_t wci_hold_add(wc_call *call, wci_hold *hold, const wci_digest *digest, wc_error **err);
void wci_hold_free(wci_hold *hold);

/* ---- Blobs ------------------------------------------------------------------------------------ */

int32_t wci_blob_stat(wci_store *store, const wci_digest *digest, uint64_t *size, wc_error **err);
int32_t wci_blob_open(wci_store *store, const wci_digest *digest, wci_fd *fd, uint64_t *size,
                      wc_error **err);
/* Reads a small blob whole and verifies its digest again: WC_E_CORRUPT when it does not match. */
int32_t wci_blob_read(wci_store *store, const wci_digest *digest, size_t max, wc_buf **out,
                      wc_error **err);
char *wci_blob_path(wci_store *store, const wci_digest *digest);
int32_t wci_blob_remove(wci_store *store, const wci_digest *digest, wc_error **err);

/* How a blob that was dropped for its space comes back. Recorded: values never change. */
typedef enum wci_again {
    WCI_AGAIN_NOT = 0,   /* it is there, or nothing is known of it */
    WCI_AGAIN_PLAIN = 1, /* it is the tar that split and tree give (layer/split.h) */
    WCI_AGAIN_GZIP = 2,  /* … in our own compression */
    WCI_AGAIN_ZSTD = 3,
    WCI_AGAIN_FETCH = 4, /* from a registry: wci_blob_sources() */
} wci_again;
int32_t wci_blob_again(wc_call *call, wci_store *store, const wci_digest *digest, wci_again *again,
                       wc_error **err);
/* The layer that an image has the blob for. WC_E_NOT_FOUND. */
int32_t wci_layer_of_blob(wc_call *call, wci_store *store, const wci_digest *digest, wci_digest *diff_id, wc_error **err);
/* Repositories that an image with it has come from. Known as long as the blob is, also while it is dropped. */
int32_t wci_blob_sources(wc_call *call, wci_store *store, const wci_digest *digest, wci_strv *out, wc_error **err);
/* *dropped 0: somebody works with it. */
int32_t wci_blob_drop(wc_call *call, wci_store *store, const wci_digest *digest, wci_again again,
                      int *dropped, wc_error **err);
/* Blobs that were dropped and have been committed anew, after one sync. */
int32_t wci_blobs_came_back(wc_call *call, wci_store *store, const wci_digest *digests, size_t count,
                            wc_error **err);

/* A blob on its way in. One thread writes; any thread may read what has been written so far. */
typedef struct wci_ingest wci_ingest;
/* Waits while another thread or process brings the same digest in. When it is (or came to be) in
 * the store, *out is NULL and the result WC_OK. `size` -1: not known. Bytes that an earlier,
 * interrupted ingest left are kept: go on at wci_ingest_offset(). */
int32_t wci_ingest_begin(wc_call *call, wci_hold *hold, const wci_digest *digest, int64_t size,
                         wci_ingest **out, wc_error **err);
/* As above, but gives WC_E_BUSY instead of waiting. */
int32_t wci_ingest_try(wci_hold *hold, const wci_digest *digest, int64_t size, wci_ingest **out,
                       wc_error **err);
uint64_t wci_ingest_offset(const wci_ingest *in);
/* Starts over, for servers that cannot resume. */
int32_t wci_ingest_restart(wci_ingest *in, wc_error **err);
/* WC_E_DIGEST as soon as more than `size` bytes come. Hashes as it goes. */
int32_t wci_ingest_write(wci_ingest *in, const void *data, size_t size, wc_error **err);
/* For readers beside the writer: waits until more than `have` bytes are there, or the ingest has
 * ended: then *ended is 1 (all there) or the error is set (writer failed). *total: bytes so far. */
int32_t wci_ingest_wait(wci_ingest *in, uint64_t have, uint64_t *total, int *ended,
                        wc_error **err);
wci_fd wci_ingest_fd(const wci_ingest *in);
/* Verifies size and digest and makes the blob visible. WC_E_DIGEST: the bytes are thrown away. The
 * handle stays valid (for readers) until freed. */
int32_t wci_ingest_commit(wci_ingest *in, wc_error **err);
/* Ends without commit: readers fail; the partial bytes stay for a later resume. */
void wci_ingest_abort(wci_ingest *in);
/* Takes a reference, for a reader on another thread. */
wci_ingest *wci_ingest_ref(wci_ingest *in);
void wci_ingest_unref(wci_ingest *in);
/* Small documents at once. The digest is verified. */
int32_t wci_blob_put(wc_call *call, wci_hold *hold, const wci_digest *digest, const void *data,
                     size_t size, wc_error **err);

/* ---- Scratch directories ---------------------------------------------------------------------- */

/* A directory of the caller's own in the store, for what is being made. It is litter as soon as its owner
 * is gone. */
typedef struct wci_scratch {
    wci_store *store;
    char name[33];
    char *dir;
    wci_lock *lock;
} wci_scratch;
int32_t wci_scratch_new(wci_store *store, wci_scratch *out, wc_error **err);
/* Removes what is left of the directory, then lets go. */
void wci_scratch_free(wci_scratch *scratch);

/* ---- Layer trees ------------------------------------------------------------------------------ */

typedef enum wci_tree_kind {
    WCI_TREE_LAYER, /* T, keyed by DiffID */
    WCI_TREE_LINKS, /* X, keyed by ChainID */
} wci_tree_kind;

/* A tree being made. `dir` is a staging directory of ours in which to make `fs` and `records`. */
typedef struct wci_staging wci_staging;
/* As wci_ingest_begin(): *out NULL when the tree is there. Any thread. */
int32_t wci_staging_begin(wc_call *call, wci_hold *hold, wci_tree_kind kind,
                          const wci_digest *key, wci_staging **out, wc_error **err);
const char *wci_staging_dir(const wci_staging *staging);
/* Renames the tree to its place, where wci_tree_path() finds it. It counts as there only once
 * wci_image_publish() or wci_trees_publish() has recorded it; another process that needs it before
 * records it itself, and one that comes after a crash makes its own. `bytes` and `entries` as
 * unpacking counted them, for the user to see. */
int32_t wci_staging_commit(wci_staging *staging, uint64_t bytes, uint64_t entries, int is_empty,
                           wc_error **err);
/* Removes what was not committed and lets go of the lock. */
void wci_staging_free(wci_staging *staging);
/* Records committed trees after one sync of the file system; then frees the handles. */
int32_t wci_trees_publish(wc_call *call, wci_store *store, wci_staging **stagings, size_t count,
                          wc_error **err);
/* Path of the tree's `fs`, or *out NULL when the tree is recorded as empty. WC_E_NOT_FOUND. */
int32_t wci_tree_path(wci_store *store, wci_tree_kind kind, const wci_digest *key, char **out,
                      wc_error **err);

/* Keys of all published layer trees. */
int32_t wci_trees_all(wc_call *call, wci_store *store, wci_strv *out, wc_error **err);

/* Identity of the published tree, owned: another one, or NULL, says that the tree has been taken
 * away or made anew meanwhile. */
int32_t wci_tree_id(wc_call *call, wci_store *store, wci_tree_kind kind, const wci_digest *key,
                    char **id, wc_error **err);
/* Puts a damaged tree into quarantine, so that the next who needs it makes it anew; *retired 0: it is
 * another one by now, or in use. */
int32_t wci_tree_retire(wc_call *call, wci_store *store, wci_tree_kind kind, const wci_digest *key,
                        const char *id, int *retired, wc_error **err);

/* ---- Images ----------------------------------------------------------------------------------- */

typedef struct wci_layer_record {
    wci_digest digest;  /* of the stored blob */
    wci_digest diff_id;
    wci_digest chain_id;
    uint64_t size;
    char *media_type;
    int64_t unpacked_size; /* negative: not known; as read only */
    wci_again again;       /* the blob was not brought, as its tree was made without it; as written only */
} wci_layer_record;

/* What is kept with an image or index though the image does not consist of it. */
#define WCI_KEPT_OWN "own" /* the role of what the image that stands for an index consists of */
typedef struct wci_kept {
    wci_digest digest;
    char *role; /* "", or how it is found: "tag TAG", "subject DIGEST" */
} wci_kept;
typedef struct wci_kept_list {
    wci_digest root; /* the index or manifest that it belongs to */
    wci_kept *items;
    size_t count, cap;
} wci_kept_list;
#define WCI_KEPT_INIT {.items = NULL}
int32_t wci_kept_add(wci_kept_list *list, const wci_digest *digest, const char *role, wc_error **err);
void wci_kept_free(wci_kept_list *list);

typedef struct wci_image_record {
    wci_digest manifest;   /* identity: the platform's manifest */
    wci_digest config;     /* image ID */
    wci_digest index;      /* the index or list it came from, or unset */
    char *media_type;      /* of the manifest */
    char *os, *arch, *variant, *os_version; /* never NULL */
    int64_t created_ns;
    uint64_t size;         /* bytes of the manifest, config and layer blobs */
    wci_layer_record *layers;
    size_t layer_count;
    wci_strv names;        /* normalised references that point to it */
    wci_strv name_indexes; /* for each, the digest of the index that it led to, or ""; as read only */
    wci_strv remote_names; /* those of `names` whose registry has the image */
    int64_t added_ns;
    const wci_kept_list *kept; /* lent, may be NULL; as written only */
    const char *repository; /* "HOST/NAME" that it comes from; lent, may be NULL; as written only */
} wci_image_record;

void wci_image_record_free(wci_image_record *record); /* the contents and the record */

/* In one transaction: the image, its trees (as wci_trees_publish) and its names, which move from
 * wherever they were; the events "pull"/"load" (`action`) and "tag". An image that loses its last
 * name stays, untagged. */
int32_t wci_image_publish(wc_call *call, wci_store *store, const wci_image_record *record,
                          const char *action, wci_staging **stagings, size_t count,
                          wc_error **err);
/* Keeps GC away from everything that the image consists of. */
int32_t wci_hold_image(wc_call *call, wci_hold *hold, const wci_image_record *image, wc_error **err);
/* By normalised name, manifest digest, image ID (config digest), or a unique prefix of at least 2
 * of the image ID's hex. WC_E_NOT_FOUND; WC_E_INVALID when a prefix is not unique. */
int32_t wci_image_find(wci_store *store, const char *name_or_id, wci_image_record **out,
                       wc_error **err);
/* In one transaction: the name leads to the list's root, an index that is in the store, and by it to the image of
 * `manifest`; the event "tag". */
int32_t wci_index_publish(wc_call *call, wci_store *store, const wci_kept_list *list, const wci_digest *manifest,
                          const char *name, wc_error **err);
/* Digests of what is kept in this role, of whatever image. */
int32_t wci_kept_find(wci_store *store, const char *role, wci_strv *digests, wc_error **err);
/* By age, newest first. */
int32_t wci_image_list(wci_store *store, wci_image_record ***out, size_t *count, wc_error **err);
void wci_image_records_free(wci_image_record **records, size_t count);
/* `index`: that the name leads to the image through; NULL or unset: to the image itself. */
int32_t wci_image_tag(wci_store *store, const wci_digest *manifest, const wci_digest *index, const char *name,
                      wc_error **err);
/* WC_E_NOT_FOUND when the name is not there. */
int32_t wci_image_untag(wci_store *store, const char *name, wc_error **err);
/* Removes the image with all its names. WC_E_IN_USE while a container needs it, naming it; with
 * `force` a container that does not run only keeps the content, and the names go. What only it
 * needed (blobs, trees) goes at once; `removed` gets lines as docker rmi prints them:
 * "Untagged: NAME", "Deleted: DIGEST". */
int32_t wci_image_remove(wc_call *call, wci_store *store, const wci_digest *manifest, int force,
                         wci_strv *removed, wc_error **err);
/* The same two for whoever decided by what it saw: when the image is gone or has not exactly the names of `seen`
 * any more, nothing is done and *changed is 1; look again and decide anew. */
int32_t wci_image_untag_seen(wc_call *call, wci_store *store, const wci_image_record *seen, const char *name,
                             int *changed, wc_error **err);
int32_t wci_image_remove_seen(wc_call *call, wci_store *store, const wci_image_record *seen, int force,
                              wci_strv *removed, int *changed, wc_error **err);

/* ---- Mounts of images --------------------------------------------------------------------------- */

typedef enum wci_mount_state {
    WCI_MOUNT_HERE,
    WCI_MOUNT_COVERED,   /* something else is mounted over it */
    WCI_MOUNT_ELSEWHERE, /* in a table of mounts that this process does not see: perhaps */
    WCI_MOUNT_GONE,
} wci_mount_state;
typedef struct wci_mount_record {
    char *path; /* real */
    wci_digest manifest;
    char *scope, *source;
    char *name; /* that the image was meant by, or "" */
    wci_mount_state state; /* now */
} wci_mount_record;
void wci_mount_records_free(wci_mount_record *records, size_t count);
/* Those on the path, which is one at most, or all (NULL). */
int32_t wci_mount_list(wci_store *store, const char *path, wci_mount_record **out, size_t *count, wc_error **err);
/* Held by whoever mounts, from the look at what is there until it is mounted, and by those who clear rows up. */
int32_t wci_mounts_lock(wc_call *call, wci_store *store, wci_lock **out, wc_error **err);
/* Before it is mounted; *source is what it is to be called then, owned. From then on the image is in use, unless the
 * mount does not come. WC_E_NOT_FOUND without the image. */
int32_t wci_mount_insert(wci_store *store, const char *path, const wci_digest *manifest, const char *name, char **source,
                         wc_error **err);
/* A directory of the store for empty ones, which overlays with few layers need. Owned. */
int32_t wci_mount_empty_dir(wci_store *store, char **out, wc_error **err);
int32_t wci_mount_delete(wci_store *store, const char *source, int *deleted, wc_error **err);

/* ---- Containers ------------------------------------------------------------------------------- */

typedef enum wci_status {
    WCI_STATUS_CREATED = 0,
    WCI_STATUS_STARTING = 1, /* a monitor is at work; recorded so that a crash shows */
    WCI_STATUS_RUNNING = 2,
    WCI_STATUS_PAUSED = 3,
    WCI_STATUS_EXITED = 4,
    WCI_STATUS_REMOVING = 5,
    WCI_STATUS_DEAD = 6,
    WCI_STATUS_RESTARTING = 7, /* its monitor waits for the time of the next run */
} wci_status;

typedef enum wci_health {
    WCI_HEALTH_NONE = 0, /* it has no check */
    WCI_HEALTH_STARTING = 1,
    WCI_HEALTH_HEALTHY = 2,
    WCI_HEALTH_UNHEALTHY = 3,
} wci_health;

/* One container on one network, see network.h. */
typedef struct wci_endpoint_record {
    char container[65], network[65]; /* ids */
    char *container_name;
    char *config; /* JSON: what was wished for */
    char *state;  /* JSON: what the present or last run got, or "" */
    int is_live;  /* the state is of a run that goes on */
} wci_endpoint_record;
void wci_endpoints_free(wci_endpoint_record *records, size_t count);

typedef struct wci_container_record {
    char id[65];
    char *name;
    char *backend;          /* name of the backend that owns it */
    wci_digest image;       /* manifest digest, or unset */
    char *image_name;       /* as the user said it */
    char *config;           /* JSON, see container/config.h */
    wci_status status;
    int64_t created_ns, started_ns, finished_ns;
    int64_t pid;            /* of the init process, 0 when not running */
    int32_t exit_code;      /* of the last run */
    int32_t oom_killed;
    char *error;            /* why the last start failed, or "" */
    int64_t generation;     /* counts starts */
    int32_t auto_remove;
    int64_t restart_count;  /* by the policy, since a user started it */
    int32_t user_stopped;   /* the policy does not start it again */
    wci_health health;
    char *group_name;       /* or "" */
    /* Networks that it is created on, with their `network` and `config`; not read back. */
    wci_endpoint_record *endpoints;
    size_t endpoint_count;
} wci_container_record;

void wci_container_record_free(wci_container_record *record);
/* WC_E_EXISTS naming the holder when the name is taken. Event "create". Makes wci_container_dir():
 * a directory without a row is litter, so nobody else should make it before. */
int32_t wci_container_insert(wci_store *store, const wci_container_record *record,
                             wc_error **err);
/* By id, name, or unique prefix of the id. */
int32_t wci_container_find(wci_store *store, const char *id_or_name, wci_container_record **out,
                           wc_error **err);
int32_t wci_container_list(wci_store *store, wci_container_record ***out, size_t *count,
                           wc_error **err);
void wci_container_records_free(wci_container_record **records, size_t count);
/* Changes status and the run's facts when the present status is one of `from` (a bit mask of
 * 1 << wci_status) and the generation matches (negative: any); writes the event `action` (NULL:
 * none) with `attributes` (JSON object or NULL) in the same transaction. WC_E_STATE otherwise. */
typedef struct wci_container_change {
    uint32_t from;
    int64_t generation;
    wci_status status;
    int64_t pid;
    int64_t started_ns;    /* 0: unchanged; else the last run's exit code goes */
    int64_t finished_ns;   /* 0: unchanged */
    int32_t exit_code;     /* taken when finished_ns or no_run is set */
    int32_t oom_killed;    /* likewise */
    int no_run;            /* the start failed: an exit code without a run */
    const char *error;     /* NULL: unchanged */
    int bump_generation;
    int is_restart;        /* by the policy: counted, and refused (WC_E_STATE) when a user has stopped it */
    int is_fresh;          /* by a user: the count and that he stopped it are forgotten */
    wci_health health;     /* WCI_HEALTH_NONE: unchanged */
    int ends_health;       /* one with a check is unhealthy then, as in Docker */
    const char *action;
    const char *attributes;
} wci_container_change;
int32_t wci_container_update(wci_store *store, const char *id, const wci_container_change *change,
                             wc_error **err);
int32_t wci_container_set_name(wci_store *store, const char *id, const char *name,
                               wc_error **err);
/* Whether it is removed at its end: the wish of its configuration, suspended during a restart. */
int32_t wci_container_set_auto_remove(wci_store *store, const char *id, int32_t auto_remove,
                                      wc_error **err);
/* Deletes the row with its endpoints, leases, ports and uses of volumes; event "destroy". The caller has
 * removed the directories. */
int32_t wci_container_delete(wci_store *store, const char *id, wc_error **err);
/* root/containers/<id> and run_root/containers/<id>; owned text. */
char *wci_container_dir(wci_store *store, const char *id);
char *wci_container_run_dir(wci_store *store, const char *id);

/* ---- Events ----------------------------------------------------------------------------------- */

typedef struct wci_event_record {
    int64_t seq;
    int64_t time_ns;
    char *type;   /* "image", "container" */
    char *action; /* Docker's words */
    char *id;
    char *attributes; /* JSON object */
} wci_event_record;

void wci_event_record_free(wci_event_record *record);
/* One of a container has its labels, name and image besides. */
int32_t wci_event_add(wci_store *store, const char *type, const char *action, const char *id,
                      const char *attributes, wc_error **err);
/* A further process of a container was made, and runs: "exec_create: COMMAND" and "exec_start: COMMAND", in one
 * transaction. */
int32_t wci_event_add_exec(wci_store *store, const char *container, const char *process, const char *command,
                           wc_error **err);
/* Up to `max` events after number `after`; WC_E_GAP when some of them were pruned. 0 begins with
 * the oldest that is kept. */
int32_t wci_event_read(wci_store *store, int64_t after, size_t max, wci_event_record ***out,
                       size_t *count, wc_error **err);
int32_t wci_event_last(wci_store *store, int64_t *seq, wc_error **err);
/* The file that changes after each commit with events; watched by readers (platform/watch.h). */
char *wci_event_wake_path(wci_store *store);

/* ---- Upkeep ----------------------------------------------------------------------------------- */

typedef struct wci_usage {
    uint64_t images, images_active, images_bytes, images_reclaimable;
    uint64_t containers, containers_active, containers_bytes, containers_reclaimable;
    uint64_t volumes, volumes_active, volumes_bytes, volumes_reclaimable;
    uint64_t layers, layers_bytes;     /* unpacked, shared ones once */
    uint64_t blobs, blobs_bytes;
    uint64_t litter_bytes;             /* what a prune without options would reclaim */
    uint64_t partial_bytes;            /* downloads that were interrupted and can be resumed */
} wci_usage;
/* What each takes. */
typedef struct wci_image_usage {
    wci_digest manifest;
    uint64_t bytes, unique_bytes; /* blobs and trees; those of no other image */
    uint64_t containers;
} wci_image_usage;
typedef struct wci_layer_usage {
    wci_digest diff_id;
    uint64_t bytes; /* unpacked */
    uint64_t images;
} wci_layer_usage;
typedef struct wci_volume_usage {
    char *name;
    uint64_t bytes, containers;
} wci_volume_usage;
typedef struct wci_usage_parts {
    wci_image_usage *images;
    wci_layer_usage *layers;
    wci_volume_usage *volumes;
    wci_container_record **containers;
    uint64_t *container_bytes;
    size_t image_count, layer_count, volume_count, container_count;
} wci_usage_parts;
void wci_usage_parts_free(wci_usage_parts *parts);
/* `parts` may be NULL. */
int32_t wci_store_usage(wc_call *call, wci_store *store, wci_usage *out, wci_usage_parts *parts,
                        wc_error **err);

enum {
    WCI_PRUNE_DANGLING = 1,  /* images without a name that no container uses */
    WCI_PRUNE_UNUSED = 2,    /* images that no container uses */
    WCI_PRUNE_PARTIAL = 4,   /* also partial downloads that could still be resumed */
};
/* Always reclaims litter. Removing stopped containers is the container layer's work. */
int32_t wci_store_prune(wc_call *call, wci_store *store, int what, wci_strv *removed,
                        uint64_t *reclaimed_bytes, wc_error **err);
/* The same with images that no container needs, the least recently used first, until what all images
 * take is at most max_bytes or none is left that may go. */
int32_t wci_store_prune_to(wc_call *call, wci_store *store, uint64_t max_bytes, wci_strv *removed,
                           uint64_t *reclaimed_bytes, wc_error **err);
/* Verifies every blob digest and every reference, not the trees (image/check.h). One line per
 * finding. With `repair` mends what can be mended, quarantines the rest, and says so. */
int32_t wci_store_check(wc_call *call, wci_store *store, int repair, wci_strv *findings,
                        wc_error **err);

#endif
