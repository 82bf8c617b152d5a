/* SPDX-License-Identifier: Apache-2.0 */
/* What each image and each layer takes, and what of it is its own. */
#include "core/alloc.h"
#include "core/error.h"
#include "store/internal.h"

/* One row for each image and each thing on disk that it needs. */
#define NEEDS                                                                                        \
    "WITH needs(image, thing, bytes) AS ("                                                           \
    "  SELECT i.manifest, digest, b.size FROM images i JOIN blobs b ON digest IN (i.manifest, config, idx)" \
    "    WHERE dropped = 0"                                                                          \
    "  UNION SELECT manifest, digest, size FROM names JOIN blobs ON digest = idx WHERE dropped = 0" \
    "  UNION SELECT manifest, digest, size FROM kept_by JOIN blobs USING (digest) WHERE dropped = 0" \
    "  UNION SELECT manifest, digest, b.size FROM image_layers JOIN blobs b USING (digest)"          \
    "    WHERE dropped = 0"                                                                          \
    "  UNION SELECT manifest, 'tree ' || key, bytes FROM image_layers JOIN trees ON key = diff_id"   \
    "    WHERE kind = 0"                                                                             \
    "  UNION SELECT manifest, 'links ' || key, bytes FROM image_layers JOIN trees ON key = chain_id" \
    "    WHERE kind = 1)"

static int32_t take_image(sqlite3_stmt *row, void *to, wc_error **err)
{
    wci_image_usage *image = to;
    *image = (wci_image_usage){
        .bytes = (uint64_t)wci_db_int(row, 1),
        .unique_bytes = (uint64_t)wci_db_int(row, 2),
        .containers = (uint64_t)wci_db_int(row, 3),
    };
    return wci_digest_parse(wci_db_text(row, 0), &image->manifest, err);
}

static int32_t read_images(wci_db *db, wci_usage_parts *parts, wc_error **err)
{
    return wci_db_records(
        db,
        NEEDS ", users(thing, count) AS (SELECT thing, count(*) FROM needs GROUP BY thing)"
              " SELECT needs.image, sum(bytes), sum(CASE count WHEN 1 THEN bytes ELSE 0 END),"
              "  (SELECT count(*) FROM image_uses u WHERE u.image = needs.image)"
              " FROM needs JOIN users USING (thing) GROUP BY needs.image ORDER BY needs.image",
        WCI_BIND_NONE, sizeof *parts->images, take_image, &parts->images, &parts->image_count, err);
}

static int32_t take_layer(sqlite3_stmt *row, void *to, wc_error **err)
{
    wci_layer_usage *layer = to;
    *layer = (wci_layer_usage){
        .bytes = (uint64_t)wci_db_int(row, 1),
        .images = (uint64_t)wci_db_int(row, 2),
    };
    return wci_digest_parse(wci_db_text(row, 0), &layer->diff_id, err);
}

static int32_t read_layers(wci_db *db, wci_usage_parts *parts, wc_error **err)
{
    return wci_db_records(db,
                              "SELECT key, bytes, (SELECT count(DISTINCT manifest) FROM image_layers"
                              "  WHERE diff_id = key) FROM trees WHERE kind = 0 ORDER BY key",
                              WCI_BIND_NONE, sizeof *parts->layers, take_layer, &parts->layers, &parts->layer_count, err);
}

static int32_t take_volume(sqlite3_stmt *row, void *to, wc_error **err)
{
    wci_volume_usage *volume = to;
    *volume = (wci_volume_usage){
        .name = wci_strdup(wci_db_text(row, 0)),
        .containers = (uint64_t)wci_db_int(row, 1),
    };
    return volume->name ? WC_OK : wci_err_nomem(err);
}

static int32_t read_volumes(wci_db *db, wci_usage_parts *parts, wc_error **err)
{
    return wci_db_records(db,
                              "SELECT name, (SELECT count(DISTINCT container) FROM volume_uses WHERE volume = name)"
                              " FROM volumes ORDER BY name",
                              WCI_BIND_NONE, sizeof *parts->volumes, take_volume, &parts->volumes, &parts->volume_count, err);
}

int32_t wci_usage_parts_read(wci_store *store, wci_usage_parts *parts, wc_error **err)
{
    int32_t rc = read_images(store->db, parts, err);
    if (!rc)
        rc = read_layers(store->db, parts, err);
    return rc ? rc : read_volumes(store->db, parts, err);
}

void wci_usage_parts_free(wci_usage_parts *parts)
{
    wci_container_records_free(parts->containers, parts->container_count);
    wci_free(parts->images);
    wci_free(parts->layers);
    for (size_t i = 0; i < parts->volume_count; i++)
        wci_free(parts->volumes[i].name);
    wci_free(parts->volumes);
    wci_free(parts->container_bytes);
    *parts = (wci_usage_parts){NULL};
}
