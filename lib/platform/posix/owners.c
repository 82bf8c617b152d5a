/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/owners.h"

#include <stdatomic.h>
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/str.h"
#include "platform/host.h"
#include "platform/posix/deputy.h"
#include "platform/posix/ids.h"
#include "platform/thread.h"
#include "platform/tree.h"
#include "platform/userns.h"

#define NOBODY 65534u

/* Made once and never changed: readers look at it without a lock. */
typedef struct ids {
    wci_user_ids map;
    char *text;
} ids;

static wci_global_mutex mutex;
static _Atomic(ids *) known; /* NULL: mean what they say */
static _Atomic(char *) inside; /* of the user namespace whose root we are */
static atomic_int kept;
static int looked;
static size_t holds;

/* ---- Maps --------------------------------------------------------------------------------------- */

int wci_ids_are_mapped(void)
{
    return atomic_load_explicit(&known, memory_order_acquire) != NULL;
}

static uint32_t own_or_kept(uint32_t id)
{
    return id == 0 || id == WCI_TREE_KEEP_ID;
}

int wci_ids_are_own(uint32_t uid, uint32_t gid)
{
    return own_or_kept(uid) && own_or_kept(gid);
}

static uint32_t to_host(const wci_id_map *map, uint32_t id)
{
    for (size_t i = 0; i < map->count; i++)
        if (id - map->ranges[i].inside < map->ranges[i].count)
            return map->ranges[i].outside + (id - map->ranges[i].inside);
    return id; /* WCI_TREE_KEEP_ID; others the kernel refuses */
}

static uint32_t from_host(const wci_id_map *map, uint32_t id)
{
    for (size_t i = 0; i < map->count; i++)
        if (id - map->ranges[i].outside < map->ranges[i].count)
            return map->ranges[i].inside + (id - map->ranges[i].outside);
    return NOBODY;
}

void wci_ids_to_host(uint32_t *uid, uint32_t *gid)
{
    const ids *now = atomic_load_explicit(&known, memory_order_acquire);
    *uid = to_host(&now->map.uids, *uid);
    *gid = to_host(&now->map.gids, *gid);
}

void wci_ids_from_host(uint32_t *uid, uint32_t *gid)
{
    const ids *now = atomic_load_explicit(&known, memory_order_acquire);
    *uid = from_host(&now->map.uids, *uid);
    *gid = from_host(&now->map.gids, *gid);
}

/* ---- This process ------------------------------------------------------------------------------- */

static char *describe(const wci_user_ids *map)
{
    char *uids = wci_id_map_text(&map->uids), *gids = wci_id_map_text(&map->gids);
    char *text = uids && gids ? wci_asprintf("uids %s gids %s", uids, gids) : NULL;
    wci_free(uids);
    wci_free(gids);
    return text;
}

static int32_t look(wc_error **err)
{
    ids *found = wci_calloc(1, sizeof *found);
    if (!found)
        return wci_err_nomem(err);
    wci_user_ids_read(&found->map);
    looked = 1;
    if (found->map.lacking[0]) {
        wci_free(found);
        return WC_OK;
    }
    if (!(found->text = describe(&found->map))) {
        wci_free(found);
        return wci_err_nomem(err);
    }
    atomic_store_explicit(&known, found, memory_order_release);
    return WC_OK;
}

/* Somebody else has made us root of this user's namespace. */
static int32_t look_from_inside(wc_error **err)
{
    wci_user_ids map;
    wci_userns_read(&map);
    char *text = describe(&map);
    looked = 1;
    atomic_store(&inside, text);
    return text ? WC_OK : wci_err_nomem(err);
}

static int32_t look_once(wc_error **err)
{
    if (looked || wci_owners_are_all())
        return WC_OK;
    return wci_host_is_root() ? look_from_inside(err) : look(err);
}

int32_t wci_owners_use(const char *helper, const char *run_root, wc_error **err)
{
    wci_global_lock(&mutex);
    int32_t rc = look_once(err);
    if (!rc && wci_ids_are_mapped())
        rc = wci_deputy_use(helper, run_root, err);
    wci_global_unlock(&mutex);
    return rc;
}

const char *wci_owners_text(void)
{
    const ids *now = atomic_load_explicit(&known, memory_order_acquire);
    const char *here = atomic_load(&inside);
    return now ? now->text : here ? here : "";
}

int32_t wci_owners_try(wc_error **err)
{
    return wci_deputy_start(err);
}

void wci_owners_keep(void)
{
    atomic_store(&kept, 1);
}

int wci_owners_kept(void)
{
    return wci_host_is_root() || (atomic_load(&kept) && wci_ids_are_mapped());
}

int wci_owners_are_all(void)
{
    return wci_host_is_root() && !wci_userns_is_inside();
}

void wci_owners_own(uint32_t *uid, uint32_t *gid)
{
    int mapped = wci_ids_are_mapped();
    *uid = mapped ? 0 : wci_host_uid();
    *gid = mapped ? 0 : wci_host_gid();
}

void wci_owners_hold(void)
{
    wci_global_lock(&mutex);
    holds++;
    wci_global_unlock(&mutex);
}

void wci_owners_drop(void)
{
    wci_global_lock(&mutex);
    if (holds && --holds == 0)
        wci_deputy_stop();
    wci_global_unlock(&mutex);
}
