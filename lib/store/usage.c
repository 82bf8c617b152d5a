/* SPDX-License-Identifier: Apache-2.0 */
/* What takes how much. Blobs and trees that several images share count once. */
#include "core/alloc.h"
#include "core/error.h"
#include "store/internal.h"
#include "store/store_volume.h"

/* Blobs and trees of the images for which `condition` holds. */
#define IMAGE_BYTES(condition)                                                                     \
    "SELECT (SELECT coalesce(sum(size), 0) FROM blobs WHERE dropped = 0 AND digest IN ("           \
    "  SELECT manifest FROM images WHERE " condition                                               \
    "  UNION SELECT config FROM images WHERE " condition                                           \
    "  UNION SELECT idx FROM images WHERE " condition                                              \
    "  UNION SELECT idx FROM names WHERE " condition                                               \
    "  UNION SELECT digest FROM kept_by WHERE " condition                                          \
    "  UNION SELECT digest FROM image_layers WHERE " condition "))"                                \
    " + (SELECT coalesce(sum(bytes), 0) FROM trees WHERE"                                          \
    "  (kind = 0 AND key IN (SELECT diff_id FROM image_layers WHERE " condition "))"               \
    "  OR (kind = 1 AND key IN (SELECT chain_id FROM image_layers WHERE " condition ")))"
/* ?1: the digests of those that are mounted, one after the other. */
#define IN_USE "(manifest IN (SELECT image FROM image_uses) OR instr(?1, manifest))"

static int32_t number_of(wci_db *db, const char *sql, const char *mounted, uint64_t *out, wc_error **err)
{
    int64_t n = 0;
    int32_t rc = mounted ? wci_db_get_int(db, sql, WCI_BIND(WCI_TEXT(mounted)), 0, &n, err)
                         : wci_db_get_int(db, sql, WCI_BIND_NONE, 0, &n, err);
    if (!rc)
        *out = n > 0 ? (uint64_t)n : 0;
    return rc;
}

static int32_t number(wci_db *db, const char *sql, uint64_t *out, wc_error **err)
{
    return number_of(db, sql, NULL, out, err);
}

int32_t wci_images_bytes(wci_store *store, uint64_t *bytes, wc_error **err)
{
    return number(store->db, IMAGE_BYTES("1"), bytes, err);
}

static int32_t list_mounted(wci_store *store, wci_str *out, wc_error **err)
{
    wci_mount_record *mounts = NULL;
    size_t count = 0;
    int32_t rc = wci_mount_list(store, NULL, &mounts, &count, err);
    for (size_t i = 0; i < count && !rc; i++)
        if (mounts[i].state != WCI_MOUNT_GONE)
            wci_str_append(out, mounts[i].manifest.text);
    wci_mount_records_free(mounts, count);
    return !rc && out->failed ? wci_err_nomem(err) : rc;
}

static int32_t count_rows(wci_store *store, const char *mounted, wci_usage *u, wc_error **err)
{
    wci_db *db = store->db;
    uint64_t used_bytes = 0;
    int32_t rc = number(db, "SELECT count(*) FROM images", &u->images, err);
    if (!rc)
        rc = number_of(db, "SELECT count(*) FROM images WHERE " IN_USE, mounted, &u->images_active, err);
    if (!rc)
        rc = wci_images_bytes(store, &u->images_bytes, err);
    if (!rc)
        rc = number_of(db, IMAGE_BYTES(IN_USE), mounted, &used_bytes, err);
    if (!rc)
        rc = number(db, "SELECT count(*) FROM containers", &u->containers, err);
    if (!rc)
        rc = number(db, "SELECT count(*) FROM containers WHERE status IN (1, 2, 3)",
                    &u->containers_active, err);
    if (!rc)
        rc = number(db, "SELECT count(*) FROM trees WHERE kind = 0", &u->layers, err);
    if (!rc)
        rc = number(db, "SELECT coalesce(sum(bytes), 0) FROM trees", &u->layers_bytes, err);
    if (!rc)
        rc = number(db, "SELECT count(*) FROM blobs WHERE dropped = 0", &u->blobs, err);
    if (!rc)
        rc = number(db, "SELECT coalesce(sum(size), 0) FROM blobs WHERE dropped = 0", &u->blobs_bytes, err);
    u->images_reclaimable = u->images_bytes - used_bytes;
    return rc;
}

/* Things may go away while we look: what is not there takes nothing. */
static uint64_t bytes_of(const char *path)
{
    wci_file_info info;
    uint64_t bytes = 0, entries;
    if (wci_file_info_of(path, &info, NULL))
        return 0;
    if (info.type != WCI_FILE_DIRECTORY)
        return info.size;
    return wci_dir_usage(path, &bytes, &entries, NULL) ? 0 : bytes;
}

static int32_t measure_container(wci_store *store, const wci_container_record *record, wci_usage *u, uint64_t *bytes,
                                 wc_error **err)
{
    char *dir = wci_container_dir(store, record->id);
    if (!dir)
        return wci_err_nomem(err);
    *bytes = bytes_of(dir);
    wci_free(dir);
    u->containers_bytes += *bytes;
    if (record->status != WCI_STATUS_STARTING && record->status != WCI_STATUS_RUNNING &&
        record->status != WCI_STATUS_PAUSED && record->status != WCI_STATUS_RESTARTING)
        u->containers_reclaimable += *bytes;
    return WC_OK;
}

static int32_t measure_containers(wc_call *call, wci_store *store, wci_usage *u, wci_usage_parts *parts,
                                  wc_error **err)
{
    int32_t rc = wci_container_list(store, &parts->containers, &parts->container_count, err);
    if (rc)
        return rc;
    parts->container_bytes = wci_calloc(parts->container_count + 1, sizeof *parts->container_bytes);
    if (!parts->container_bytes)
        return wci_err_nomem(err);
    for (size_t i = 0; i < parts->container_count && !rc; i++) {
        rc = wci_call_check(call, err);
        if (!rc)
            rc = measure_container(store, parts->containers[i], u, &parts->container_bytes[i], err);
    }
    return rc;
}

static int32_t measure_volumes(wc_call *call, wci_store *store, wci_usage *u, wci_usage_parts *parts, wc_error **err)
{
    int32_t rc = WC_OK;
    for (size_t i = 0; i < parts->volume_count && !rc; i++) {
        wci_volume_usage *volume = &parts->volumes[i];
        char *dir = wci_volume_dir(store, volume->name);
        rc = dir ? wci_call_check(call, err) : wci_err_nomem(err);
        volume->bytes = rc ? 0 : bytes_of(dir);
        u->volumes_bytes += volume->bytes;
        u->volumes_reclaimable += volume->containers ? 0 : volume->bytes;
        u->volumes_active += volume->containers != 0;
        wci_free(dir);
    }
    u->volumes = parts->volume_count;
    return rc;
}

static int32_t measure_litter(wc_call *call, wci_store *store, int what, uint64_t *bytes,
                              wc_error **err)
{
    wci_strv held = WCI_STRV_INIT;
    wci_litter litter = {.paths = WCI_STRV_INIT};
    int32_t rc = wci_holds_read(store, &held, err);
    if (!rc)
        rc = wci_litter_find(call, store, &held, what, &litter, err);
    for (size_t i = 0; i < litter.paths.count && !rc; i++) {
        *bytes += bytes_of(litter.paths.items[i]);
        rc = wci_call_check(call, err);
    }
    for (size_t i = 0; i < litter.scratch.count && !rc; i++) {
        char *dir = wci_store_path(store, WCI_DIR_STAGING, litter.scratch.items[i]);
        *bytes += dir ? bytes_of(dir) : 0;
        wci_free(dir);
        rc = wci_call_check(call, err);
    }
    wci_litter_free(&litter);
    wci_strv_free(&held);
    return rc;
}

static int32_t measure_images(wc_call *call, wci_store *store, wci_usage *u, wci_usage_parts *parts, wc_error **err)
{
    wci_str mounted = WCI_STR_INIT;
    int32_t rc = list_mounted(store, &mounted, err);
    if (!rc)
        rc = wci_tx_begin(store, call, WCI_TX_READ, err);
    if (!rc) {
        rc = count_rows(store, mounted.data, u, err);
        if (!rc)
            rc = wci_usage_parts_read(store, parts, err);
        rc = wci_tx_end(store, rc, err);
    }
    wci_str_free(&mounted);
    return rc;
}

static int32_t measure(wc_call *call, wci_store *store, wci_usage *u, wci_usage_parts *parts, wc_error **err)
{
    uint64_t with_partial = 0;
    int32_t rc = measure_images(call, store, u, parts, err);
    if (!rc)
        rc = measure_containers(call, store, u, parts, err);
    if (!rc)
        rc = measure_volumes(call, store, u, parts, err);
    if (!rc)
        rc = measure_litter(call, store, 0, &u->litter_bytes, err);
    if (!rc)
        rc = measure_litter(call, store, WCI_PRUNE_PARTIAL, &with_partial, err);
    u->partial_bytes = with_partial > u->litter_bytes ? with_partial - u->litter_bytes : 0;
    return rc;
}

int32_t wci_store_usage(wc_call *call, wci_store *store, wci_usage *out, wci_usage_parts *parts, wc_error **err)
{
    wci_usage u = {0};
    wci_usage_parts all = {NULL};
    int32_t rc = measure(call, store, &u, &all, err);
    if (!rc)
        *out = u;
    if (!rc && parts)
        *parts = all;
    else
        wci_usage_parts_free(&all);
    return rc;
}
