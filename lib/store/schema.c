/* SPDX-License-Identifier: Apache-2.0 */
/* Tables, and how an older store comes up to date while other versions may be using it. */
#include "core/alloc.h"
#include "core/error.h"
#include "platform/host.h"
#include "store/internal.h"


static const wci_schema_step schema[] = {
    /* used_ns: when it came, or when the last container made from it was created or ended. */
    {"CREATE TABLE images ("
     "  manifest TEXT PRIMARY KEY, config TEXT NOT NULL, idx TEXT NOT NULL,"
     "  media_type TEXT NOT NULL, os TEXT NOT NULL, arch TEXT NOT NULL, variant TEXT NOT NULL,"
     "  os_version TEXT NOT NULL, created_ns INTEGER NOT NULL, size INTEGER NOT NULL,"
     "  added_ns INTEGER NOT NULL, used_ns INTEGER NOT NULL) WITHOUT ROWID;"
     "CREATE INDEX images_config ON images(config);"
     "CREATE INDEX images_idx ON images(idx);"
     "CREATE TABLE image_layers ("
     "  manifest TEXT NOT NULL, position INTEGER NOT NULL, digest TEXT NOT NULL,"
     "  diff_id TEXT NOT NULL, chain_id TEXT NOT NULL, size INTEGER NOT NULL,"
     "  media_type TEXT NOT NULL, PRIMARY KEY (manifest, position)) WITHOUT ROWID;"
     "CREATE INDEX image_layers_digest ON image_layers(digest);"
     "CREATE INDEX image_layers_diff_id ON image_layers(diff_id);"
     "CREATE INDEX image_layers_chain_id ON image_layers(chain_id);"
     /* idx: the index or list that the name led to when it came, or ''. remote: the registry of the
      * name has the image. */
     "CREATE TABLE names (name TEXT PRIMARY KEY, manifest TEXT NOT NULL, idx TEXT NOT NULL,"
     "  remote INTEGER NOT NULL) WITHOUT ROWID;"
     "CREATE INDEX names_idx ON names(idx);"
     "CREATE INDEX names_manifest ON names(manifest);"
     /* What belongs to a root, an index or manifest: what the image consists of that stands for an index
      * (WCI_KEPT_OWN), and beside that blobs with the role '', and documents that are found otherwise than through
      * others (wci_kept). */
     "CREATE TABLE kept (root TEXT NOT NULL, digest TEXT NOT NULL, role TEXT NOT NULL,"
     "  PRIMARY KEY (root, digest, role)) WITHOUT ROWID;"
     "CREATE INDEX kept_digest ON kept(digest);"
     "CREATE INDEX kept_role ON kept(role);"
     /* Whom it belongs to: those that a name leads to by the index, or that came by it and have no name. */
     "CREATE VIEW kept_by AS"
     "  SELECT names.manifest, digest, role FROM kept JOIN names ON idx = root"
     "  UNION SELECT images.manifest, digest, role FROM kept JOIN images ON idx = root"
     "    WHERE images.manifest NOT IN (SELECT manifest FROM names)"
     "  UNION SELECT images.manifest, digest, role FROM kept JOIN images ON images.manifest = root;"
     /* Blobs that are known to be whole on disk, not only in the cache; or that were dropped on
      * purpose, and how each comes back (wci_again). */
     "CREATE TABLE blobs (digest TEXT PRIMARY KEY, size INTEGER NOT NULL,"
     "  dropped INTEGER NOT NULL) WITHOUT ROWID;"
     /* Repositories ("HOST/NAME") that layers came from, whatever the images are called by now: a dropped blob is fetched
      * from there. */
     "CREATE TABLE blob_sources (digest TEXT NOT NULL, repository TEXT NOT NULL,"
     "  PRIMARY KEY (digest, repository)) WITHOUT ROWID;"
     "CREATE TRIGGER blobs_gone AFTER DELETE ON blobs BEGIN"
     "  DELETE FROM blob_sources WHERE digest = OLD.digest; END;"
     /* id: the name of its maker's scratch directory. owner: the same until synced, then ''. bytes
      * and entries as unpacking counted. */
     "CREATE TABLE trees ("
     "  kind INTEGER NOT NULL, key TEXT NOT NULL, id TEXT NOT NULL, owner TEXT NOT NULL,"
     "  is_empty INTEGER NOT NULL, bytes INTEGER NOT NULL, entries INTEGER NOT NULL,"
     "  PRIMARY KEY (kind, key)) WITHOUT ROWID;"
     /* Images mounted on the host: source is what the table of mounts calls it, scope which table that is. name: that
      * the image was meant by, or ''. */
     "CREATE TABLE mounts (path TEXT PRIMARY KEY, manifest TEXT NOT NULL, scope TEXT NOT NULL,"
     "  source TEXT NOT NULL, name TEXT NOT NULL) WITHOUT ROWID;"
     "CREATE INDEX mounts_manifest ON mounts(manifest);"
     "CREATE TABLE containers ("
     "  id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, backend TEXT NOT NULL,"
     "  image TEXT NOT NULL, image_name TEXT NOT NULL, config TEXT NOT NULL,"
     "  status INTEGER NOT NULL, created_ns INTEGER NOT NULL, started_ns INTEGER NOT NULL,"
     "  finished_ns INTEGER NOT NULL, pid INTEGER NOT NULL, exit_code INTEGER NOT NULL,"
     "  oom_killed INTEGER NOT NULL, error TEXT NOT NULL, generation INTEGER NOT NULL,"
     /* restart_count: by the policy, since a user started it. user_stopped: the policy does not start it again.
      * health: wci_health. group_name: of groups, or ''. */
     "  auto_remove INTEGER NOT NULL, restart_count INTEGER NOT NULL, user_stopped INTEGER NOT NULL,"
     "  health INTEGER NOT NULL, group_name TEXT NOT NULL) WITHOUT ROWID;"
     "CREATE INDEX containers_image ON containers(image);"
     "CREATE INDEX containers_group ON containers(group_name);"
     "CREATE TABLE groups ("
     "  name TEXT PRIMARY KEY, id TEXT NOT NULL UNIQUE, config TEXT NOT NULL,"
     "  created_ns INTEGER NOT NULL) WITHOUT ROWID;"
     /* interface: the bridge or parent on the host, which one network has. */
     "CREATE TABLE networks ("
     "  name TEXT PRIMARY KEY, id TEXT NOT NULL UNIQUE, driver TEXT NOT NULL, interface TEXT UNIQUE,"
     "  config TEXT NOT NULL, created_ns INTEGER NOT NULL) WITHOUT ROWID;"
     /* network: its id. config: what was wished for (names, addresses); state: what it got, or ''. */
     "CREATE TABLE endpoints ("
     "  container TEXT NOT NULL, network TEXT NOT NULL, position INTEGER NOT NULL,"
     "  config TEXT NOT NULL, state TEXT NOT NULL, PRIMARY KEY (container, network)) WITHOUT ROWID;"
     "CREATE INDEX endpoints_network ON endpoints(network);"
     /* Addresses and published ports that are taken, and by which run of the container. */
     "CREATE TABLE leases ("
     "  network TEXT NOT NULL, address TEXT NOT NULL, container TEXT NOT NULL,"
     "  generation INTEGER NOT NULL, is_static INTEGER NOT NULL,"
     "  PRIMARY KEY (network, address)) WITHOUT ROWID;"
     "CREATE INDEX leases_container ON leases(container);"
     "CREATE TABLE ports ("
     "  protocol TEXT NOT NULL, host_ip TEXT NOT NULL, host_port INTEGER NOT NULL,"
     "  container_port INTEGER NOT NULL,"
     "  container TEXT NOT NULL, generation INTEGER NOT NULL,"
     "  PRIMARY KEY (protocol, host_ip, host_port)) WITHOUT ROWID;"
     "CREATE INDEX ports_container ON ports(container);"
     /* options and labels: JSON objects. */
     "CREATE TABLE volumes ("
     "  name TEXT PRIMARY KEY, driver TEXT NOT NULL, options TEXT NOT NULL, labels TEXT NOT NULL,"
     "  created_ns INTEGER NOT NULL, is_anonymous INTEGER NOT NULL) WITHOUT ROWID;"
     "CREATE TABLE volume_uses ("
     "  volume TEXT NOT NULL, container TEXT NOT NULL, target TEXT NOT NULL,"
     "  PRIMARY KEY (volume, container, target)) WITHOUT ROWID;"
     "CREATE INDEX volume_uses_container ON volume_uses(container);"
     /* Containers that need an image: made from it, or with it mounted (its manifest in the place of a volume). */
     "CREATE VIEW image_uses AS SELECT image, id, name, status FROM containers"
     "  UNION SELECT volume, id, name, status FROM volume_uses JOIN containers ON id = container"
     "    WHERE volume LIKE 'sha%:%';"
     "CREATE TABLE events ("
     "  seq INTEGER PRIMARY KEY AUTOINCREMENT, time_ns INTEGER NOT NULL, type TEXT NOT NULL,"
     "  action TEXT NOT NULL, id TEXT NOT NULL, attributes TEXT NOT NULL);",
     1, 1},
};

static int32_t read_meta(wci_db *db, const char *key, int64_t *out, wc_error **err)
{
    return wci_db_get_int(db, "SELECT CAST(value AS INTEGER) FROM meta WHERE key = ?",
                          WCI_BIND(WCI_TEXT(key)), 0, out, err);
}

static int32_t write_meta(wci_db *db, const char *key, int64_t value, wc_error **err)
{
    return wci_db_run(db, "INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)",
                      WCI_BIND(WCI_TEXT(key), WCI_INT(value)), err);
}

/* 0 for a database without tables. */
static int32_t read_version(wci_db *db, int64_t *version, wc_error **err)
{
    int64_t tables;
    int32_t rc = wci_db_get_int(db,
                                "SELECT count(*) FROM sqlite_master"
                                " WHERE type = 'table' AND name = 'meta'",
                                WCI_BIND_NONE, 0, &tables, err);
    if (!rc && tables)
        return read_meta(db, "version", version, err);
    if (!rc)
        *version = 0;
    return rc;
}

static int32_t make_meta(wci_db *db, wc_error **err)
{
    char id[33];
    int32_t rc = wci_random_hex(16, id, err);
    if (!rc)
        rc = wci_db_script(
            db, "CREATE TABLE meta (key TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID", err);
    if (rc)
        return rc;
    char *uuid = wci_asprintf("%.8s-%.4s-%.4s-%.4s-%.12s", id, id + 8, id + 12, id + 16, id + 20);
    if (!uuid)
        return wci_err_nomem(err);
    rc = wci_db_run(db, "INSERT INTO meta (key, value) VALUES ('uuid', ?)",
                    WCI_BIND(WCI_TEXT(uuid)), err);
    wci_free(uuid);
    return rc;
}

static int32_t run_step(wci_db *db, const wci_schema_step *step, int64_t version, wc_error **err)
{
    int32_t rc = wci_db_script(db, step->sql, err);
    if (!rc)
        rc = write_meta(db, "version", version, err);
    if (!rc)
        rc = write_meta(db, "min_reader", step->min_reader, err);
    if (!rc)
        rc = write_meta(db, "min_writer", step->min_writer, err);
    return rc;
}

static int32_t run_steps(wci_db *db, const wci_schema_step *steps, size_t count, wc_error **err)
{
    int64_t version;
    int32_t rc = read_version(db, &version, err);
    if (!rc && version == 0)
        rc = make_meta(db, err);
    for (int64_t v = version; !rc && v < (int64_t)count; v++)
        rc = run_step(db, &steps[v], v + 1, err);
    return rc;
}

/* Whether a version that uses the store now would be shut out. */
static int shuts_out(const wci_schema_step *steps, size_t count, int64_t version)
{
    for (int64_t v = version; version > 0 && v < (int64_t)count; v++)
        if (steps[v].min_reader > version || steps[v].min_writer > version)
            return 1;
    return 0;
}

static int32_t lock_shared(wc_call *call, wci_store *store, wc_error **err)
{
    char *path = wci_store_path(store, WCI_DIR_LOCKS, "schema");
    if (!path)
        return wci_err_nomem(err);
    int32_t rc = wci_lock_acquire(call, path, WCI_LOCK_SHARED, &store->schema_lock, err);
    wci_free(path);
    return rc;
}

static int32_t lock_alone(wci_store *store, wc_error **err)
{
    char *path = wci_store_path(store, WCI_DIR_LOCKS, "schema");
    if (!path)
        return wci_err_nomem(err);
    wci_lock_release(store->schema_lock);
    store->schema_lock = NULL;
    int32_t rc = wci_lock_try(path, WCI_LOCK_EXCLUSIVE, &store->schema_lock, NULL);
    wci_free(path);
    if (rc == WC_E_BUSY)
        return wci_err(err, WC_E_VERSION,
                       "store: '%s': it has to be converted for this version, but other processes "
                       "use it; stop them and try again",
                       store->root);
    return rc ? wci_err(err, rc, "store: '%s': its schema cannot be locked", store->root) : WC_OK;
}

static int32_t upgrade(wc_call *call, wci_store *store, const wci_schema_step *steps, size_t count,
                       int64_t version, wc_error **err)
{
    int alone = shuts_out(steps, count, version);
    int32_t rc = alone ? lock_alone(store, err) : WC_OK;
    if (!rc && !(rc = wci_db_begin(store->db, call, WCI_TX_DURABLE, err)))
        rc = wci_db_end(store->db, run_steps(store->db, steps, count, err), err);
    if (alone) {
        wci_lock_release(store->schema_lock);
        store->schema_lock = NULL;
        int32_t locked = lock_shared(call, store, rc ? NULL : err);
        rc = rc ? rc : locked;
    }
    return rc;
}

static int32_t look(wc_call *call, wci_store *store, int64_t *version, int64_t *min_reader,
                    int64_t *min_writer, wc_error **err)
{
    int32_t rc = wci_db_begin(store->db, call, WCI_TX_READ, err);
    if (rc)
        return rc;
    *min_reader = *min_writer = 0;
    rc = read_version(store->db, version, err);
    if (!rc && *version > 0)
        rc = read_meta(store->db, "min_reader", min_reader, err);
    if (!rc && *version > 0)
        rc = read_meta(store->db, "min_writer", min_writer, err);
    return wci_db_end(store->db, rc, err);
}

int32_t wci_schema_apply(wc_call *call, wci_store *store, const wci_schema_step *steps,
                         size_t count, wc_error **err)
{
    int64_t known = (int64_t)count, version, min_reader, min_writer;
    int32_t rc = store->schema_lock ? WC_OK : lock_shared(call, store, err);
    if (!rc)
        rc = look(call, store, &version, &min_reader, &min_writer, err);
    if (rc)
        return rc;
    if (min_reader > known)
        return wci_err(err, WC_E_VERSION,
                       "store: '%s': it has schema %lld and needs at least version %lld to read, "
                       "this library knows %lld; use a newer library",
                       store->root, (long long)version, (long long)min_reader, (long long)known);
    store->writable = min_writer <= known;
    return version < known ? upgrade(call, store, steps, count, version, err) : WC_OK;
}

/* SQLite's own switch to the log does not wait for others, so a new database has one maker. */
static int32_t create(wc_call *call, wci_store *store, const char *path, wc_error **err)
{
    char *lock_path = wci_store_path(store, WCI_DIR_LOCKS, "create");
    if (!lock_path)
        return wci_err_nomem(err);
    wci_lock *lock = NULL;
    int32_t rc = wci_lock_acquire(call, lock_path, WCI_LOCK_EXCLUSIVE, &lock, err);
    wci_free(lock_path);
    if (!rc)
        rc = wci_db_open(call, path, &store->db, err);
    if (!rc)
        rc = wci_db_script(store->db, "PRAGMA journal_mode=WAL", err);
    if (!rc)
        rc = wci_schema_apply(call, store, schema, sizeof schema / sizeof *schema, err);
    wci_lock_release(lock);
    return rc;
}

static int32_t open_existing(wc_call *call, wci_store *store, const char *path, wc_error **err)
{
    int32_t rc = wci_db_open(call, path, &store->db, err);
    return rc ? rc : wci_schema_apply(call, store, schema, sizeof schema / sizeof *schema, err);
}

static int32_t read_uuid(wc_call *call, wci_store *store, wc_error **err)
{
    int32_t rc = wci_db_begin(store->db, call, WCI_TX_READ, err);
    if (rc)
        return rc;
    rc = wci_db_get_text(store->db, "SELECT value FROM meta WHERE key = 'uuid'", WCI_BIND_NONE,
                         &store->uuid, err);
    if (!rc && !store->uuid)
        rc = wci_err(err, WC_E_CORRUPT,
                     "store: '%s': its database has no identity; restore it "
                     "from a backup or move it away",
                     store->root);
    return wci_db_end(store->db, rc, err);
}

int32_t wci_schema_open(wc_call *call, wci_store *store, wc_error **err)
{
    char *path = wci_path_join(store->root, WCI_DB_FILE);
    if (!path)
        return wci_err_nomem(err);
    wci_file_info info;
    int is_new = wci_file_info_of(path, &info, NULL) != WC_OK || info.size == 0;
    int32_t rc = is_new ? create(call, store, path, err) : open_existing(call, store, path, err);
    wci_free(path);
    return rc ? rc : read_uuid(call, store, err);
}
