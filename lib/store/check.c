/* SPDX-License-Identifier: Apache-2.0 */
/* Verifying the store while it is in use: a finding counts only when the row it is about is still
 * there after the look. Repair never touches what a container that runs needs. */
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "platform/host.h"
#include "store/internal.h"
#include "store/volume_rows.h"

typedef struct check {
    wc_call *call;
    wci_store *store;
    int repair;
    wci_strv *findings;
} check;

/* Takes the line over. */
static int32_t say(check *c, char *line, wc_error **err)
{
    return wci_strv_add_take(c->findings, line) ? wci_err_nomem(err) : WC_OK;
}

/* One column of all rows of a query, in one snapshot. */
static int32_t list(check *c, const char *sql, wci_strv *out, wc_error **err)
{
    int32_t rc = wci_tx_begin(c->store, c->call, WCI_TX_READ, err);
    return rc ? rc : wci_tx_end(c->store, wci_db_list(c->store->db, sql, WCI_BIND_NONE, out, err), err);
}

/* One change in a transaction of its own. */
static int32_t change(check *c, const char *sql, const wci_value *values, size_t count,
                      wc_error **err)
{
    int32_t rc = wci_tx_begin(c->store, c->call, WCI_TX_DURABLE, err);
    return rc ? rc : wci_tx_end(c->store, wci_db_run(c->store->db, sql, values, count, err), err);
}

/* Calls `look` for every row of a query with one column. */
static int32_t each(check *c, const char *sql,
                    int32_t (*look)(check *c, const char *key, wc_error **err), wc_error **err)
{
    wci_strv keys = WCI_STRV_INIT;
    int32_t rc = list(c, sql, &keys, err);
    for (size_t i = 0; i < keys.count && !rc; i++) {
        rc = wci_call_check(c->call, err);
        if (!rc)
            rc = look(c, keys.items[i], err);
    }
    wci_strv_free(&keys);
    return rc;
}

/* ---- The database -----------------------------------------------------------------------------
 */

static int32_t mend_indexes(check *c, wc_error **err)
{
    int32_t rc = wci_tx_begin(c->store, c->call, WCI_TX_DURABLE, err);
    return rc ? rc : wci_tx_end(c->store, wci_db_script(c->store->db, "REINDEX", err), err);
}

static int32_t check_database(check *c, wc_error **err)
{
    wci_strv lines = WCI_STRV_INIT;
    int32_t rc = list(c, "PRAGMA integrity_check(20)", &lines, err);
    int damaged = lines.count != 1 || strcmp(lines.items[0], "ok") != 0;
    for (size_t i = 0; i < lines.count && !rc && damaged; i++)
        rc = say(c,
                 wci_asprintf("database: %s%s", lines.items[i],
                              c->repair ? "; indexes rebuilt, check again" : ""),
                 err);
    if (!rc && damaged && c->repair)
        rc = mend_indexes(c, err);
    wci_strv_free(&lines);
    return rc;
}

/* ---- Blobs ------------------------------------------------------------------------------------
 */

/* Name or id of an image that needs the blob; owned, NULL when there is none. */
static int32_t image_of_blob(check *c, const char *digest, char **out, wc_error **err)
{
    int32_t rc = wci_tx_begin(c->store, c->call, WCI_TX_READ, err);
    if (rc)
        return rc;
    rc = wci_db_get_text(
        c->store->db,
        "SELECT coalesce((SELECT name FROM names WHERE names.manifest = i.manifest), i.config)"
        " FROM images i WHERE i.manifest = ?1 OR i.config = ?1 OR i.idx = ?1"
        " OR i.manifest IN (SELECT manifest FROM names WHERE idx = ?1)"
        " OR i.manifest IN (SELECT manifest FROM image_layers WHERE digest = ?1)"
        " OR i.manifest IN (SELECT manifest FROM kept_by WHERE digest = ?1) LIMIT 1",
        WCI_BIND(WCI_TEXT(digest)), out, err);
    return wci_tx_end(c->store, rc, err);
}

static int32_t report_blob(check *c, const wci_digest *digest, const char *path, int missing,
                           wc_error **err)
{
    int recorded = 0;
    char *image = NULL;
    int32_t rc = wci_blob_is_recorded(c->store, digest, &recorded, err);
    if (rc || !recorded)
        return rc;
    rc = image_of_blob(c, digest->text, &image, err);
    if (!rc && c->repair)
        rc = change(c, "DELETE FROM blobs WHERE digest = ?", WCI_BIND(WCI_TEXT(digest->text)), err);
    if (!rc && c->repair && !missing)
        rc = wci_quarantine(c->store, path, "blob", wci_digest_hex(digest), err);
    const char *what = missing ? "its file is missing" : "its bytes do not match its digest";
    const char *done = missing ? "; taken off the books" : "; put into quarantine";
    if (!c->repair)
        done = "";
    if (!rc)
        rc = say(c,
                 image ? wci_asprintf("blob %s: %s%s; image '%s' needs it, pull that again",
                                      digest->text, what, done, image)
                       : wci_asprintf("blob %s: %s%s; nothing needs it", digest->text, what, done),
                 err);
    wci_free(image);
    return rc;
}

static int32_t check_blob(check *c, const char *key, wc_error **err)
{
    wci_digest digest;
    int32_t rc = wci_digest_parse(key, &digest, err);
    char *path = rc ? NULL : wci_blob_location(c->store, &digest);
    if (!path)
        return rc ? rc : wci_err_nomem(err);
    int good = 0;
    wc_error *why = NULL;
    rc = wci_blob_verify(c->call, path, &digest, &good, &why);
    int missing = rc == WC_E_NOT_FOUND;
    if (missing || !rc)
        wc_error_unref(why);
    if (rc && !missing)
        rc = wci_err_move(err, why);
    else
        rc = good ? WC_OK : report_blob(c, &digest, path, missing, err);
    wci_free(path);
    return rc;
}

/* ---- References -------------------------------------------------------------------------------
 */

static int32_t report_line(check *c, const char *line, wc_error **err)
{
    return say(c, wci_strdup(line), err);
}

/* Blobs that images name but that are not on the books. */
static int32_t check_image_blobs(check *c, wc_error **err)
{
    return each(
        c,
        "SELECT 'image ''' || coalesce((SELECT name FROM names n WHERE n.manifest = p.manifest),"
        " p.manifest) || ''': blob ' || p.digest || ' is not in the store; pull the image again'"
        " FROM (SELECT manifest, digest FROM image_layers"
        "  UNION SELECT manifest, manifest FROM images"
        "  UNION SELECT manifest, config FROM images"
        "  UNION SELECT manifest, digest FROM kept_by) p"
        " WHERE p.digest NOT IN (SELECT digest FROM blobs)",
        report_line, err);
}

static int32_t check_name(check *c, const char *name, wc_error **err)
{
    int32_t rc = c->repair
                     ? change(c, "DELETE FROM names WHERE name = ?", WCI_BIND(WCI_TEXT(name)), err)
                     : WC_OK;
    return rc ? rc
              : say(c,
                    wci_asprintf("name '%s': its image is not in the store%s", name,
                                 c->repair ? "; name removed" : ""),
                    err);
}

static int32_t check_stray_layers(check *c, const char *manifest, wc_error **err)
{
    int32_t rc = c->repair ? change(c, "DELETE FROM image_layers WHERE manifest = ?",
                                    WCI_BIND(WCI_TEXT(manifest)), err)
                           : WC_OK;
    return rc ? rc
              : say(c,
                    wci_asprintf("image '%s': it has layers but no record%s", manifest,
                                 c->repair ? "; layers taken off the books" : ""),
                    err);
}

static int32_t check_container(check *c, const char *id, wc_error **err)
{
    char *dir = wci_container_dir(c->store, id);
    if (!dir)
        return wci_err_nomem(err);
    int there = wci_file_exists(dir);
    wci_free(dir);
    if (there)
        return WC_OK;
    int64_t still = 0; /* it may have been removed meanwhile */
    int32_t rc = wci_tx_begin(c->store, c->call, WCI_TX_READ, err);
    if (!rc)
        rc = wci_tx_end(c->store,
                        wci_db_get_int(c->store->db,
                                       "SELECT count(*) FROM containers"
                                       " WHERE id = ? AND status NOT IN (5, 6)",
                                       WCI_BIND(WCI_TEXT(id)), 0, &still, err),
                        err);
    if (rc || !still)
        return rc;
    if (c->repair)
        rc = change(c,
                    "UPDATE containers SET status = 6, pid = 0,"
                    " error = 'its directory was missing' WHERE id = ?",
                    WCI_BIND(WCI_TEXT(id)), err);
    return rc ? rc
              : say(c,
                    wci_asprintf("container %.12s: its directory is missing; %s", id,
                                 c->repair ? "marked dead, remove it" : "remove it"),
                    err);
}

static int32_t check_container_image(check *c, const char *id, wc_error **err)
{
    return say(c,
               wci_asprintf("container %.12s: its image is not in the store; pull the image "
                            "again or remove the container",
                            id),
               err);
}

#define NO_CONTAINER "container NOT IN (SELECT id FROM containers)"
#define NO_NETWORK "network NOT IN (SELECT id FROM networks)"
#define NO_VOLUME "volume NOT IN (SELECT name FROM volumes UNION SELECT manifest FROM images)"

/* Rows about containers, networks and volumes that are not there. `drop`: they mean nothing then, and go; NULL: a
 * container still wishes for what is missing. */
typedef struct stray_rows {
    const char *find, *drop;
} stray_rows;

static const stray_rows strays[] = {
    {"SELECT 'address ' || address || ': its container or network is not in the store' FROM leases"
     " WHERE " NO_CONTAINER " OR " NO_NETWORK,
     "DELETE FROM leases WHERE " NO_CONTAINER " OR " NO_NETWORK},
    {"SELECT 'port ' || host_port || '/' || protocol || ': its container is not in the store' FROM ports"
     " WHERE " NO_CONTAINER,
     "DELETE FROM ports WHERE " NO_CONTAINER},
    {"SELECT 'network endpoint of container ' || substr(container, 1, 12) || ': that is not in the store'"
     " FROM endpoints WHERE " NO_CONTAINER,
     "DELETE FROM endpoints WHERE " NO_CONTAINER},
    {"SELECT 'volume ''' || volume || ''': container ' || substr(container, 1, 12) || ', which is to use it,"
     " is not in the store' FROM volume_uses WHERE " NO_CONTAINER,
     "DELETE FROM volume_uses WHERE " NO_CONTAINER},
    {"SELECT 'container ' || substr(container, 1, 12) || ': one of its networks is not in the store;"
     " disconnect it or remove the container' FROM endpoints WHERE NOT " NO_CONTAINER " AND " NO_NETWORK,
     NULL},
    {"SELECT 'container ' || substr(id, 1, 12) || ': its group ''' || group_name || ''' is not in the store;"
     " create it or remove the container' FROM containers WHERE group_name <> '' AND group_name NOT IN"
     " (SELECT name FROM groups)",
     NULL},
    {"SELECT 'container ' || substr(container, 1, 12) || ': its volume ''' || volume || ''' is not in the"
     " store; create it or remove the container' FROM volume_uses WHERE NOT " NO_CONTAINER " AND " NO_VOLUME,
     NULL},
};

static int32_t report_dropped(check *c, const char *line, wc_error **err)
{
    return say(c, wci_asprintf("%s%s", line, c->repair ? "; taken off the books" : ""), err);
}

static int32_t check_strays(check *c, wc_error **err)
{
    int32_t rc = WC_OK;
    for (size_t i = 0; i < sizeof strays / sizeof *strays && !rc; i++) {
        rc = each(c, strays[i].find, strays[i].drop ? report_dropped : report_line, err);
        if (!rc && c->repair && strays[i].drop)
            rc = change(c, strays[i].drop, WCI_BIND_NONE, err);
    }
    return rc;
}

static int32_t check_volume(check *c, const char *name, wc_error **err)
{
    char *data = wci_volume_data(c->store, name);
    int there = data && wci_file_exists(data), still = 0;
    int32_t rc = data ? WC_OK : wci_err_nomem(err);
    if (!rc && !there && !(rc = wci_tx_begin(c->store, c->call, WCI_TX_READ, err)))
        rc = wci_tx_end(c->store, wci_volume_is_there(c->store->db, name, &still, err), err);
    if (!rc && still && c->repair)
        rc = wci_dir_make(data, 0755, err);
    wci_free(data);
    return rc || !still ? rc
                        : say(c,
                              wci_asprintf("volume '%s': its directory is missing; %s", name,
                                           c->repair ? "made anew, empty" : "remove it, or restore it from a backup"),
                              err);
}

/* ---- Check ------------------------------------------------------------------------------------
 */

static int32_t check_all(check *c, wc_error **err)
{
    int32_t rc = check_database(c, err);
    if (!rc)
        rc = check_image_blobs(c, err);
    if (!rc)
        rc = each(c, "SELECT digest FROM blobs WHERE dropped = 0 ORDER BY digest", check_blob, err);
    if (!rc)
        rc = each(c, "SELECT name FROM names WHERE manifest NOT IN (SELECT manifest FROM images)",
                  check_name, err);
    if (!rc)
        rc = each(c,
                  "SELECT DISTINCT manifest FROM image_layers"
                  " WHERE manifest NOT IN (SELECT manifest FROM images)",
                  check_stray_layers, err);
    if (!rc)
        rc = each(c, "SELECT id FROM containers WHERE status NOT IN (5, 6)", check_container, err);
    if (!rc)
        rc = check_strays(c, err);
    if (!rc)
        rc = each(c, "SELECT name FROM volumes", check_volume, err);
    return rc ? rc
              : each(c,
                     "SELECT id FROM containers WHERE image <> ''"
                     " AND image NOT IN (SELECT manifest FROM images)",
                     check_container_image, err);
}

int32_t wci_store_check(wc_call *call, wci_store *store, int repair, wci_strv *findings,
                        wc_error **err)
{
    check c = {call, store, repair, findings};
    return check_all(&c, err);
}
