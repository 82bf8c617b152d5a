/* SPDX-License-Identifier: Apache-2.0 */
#include "container/keep_id.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/str.h"
#include "platform/host.h"
#include "platform/userns.h"

#define MODE "keep-id"
#define NOT_GIVEN UINT32_MAX
#define MAX_ID 2147483647u /* as users of containers */

/* "uid=5"; 0 when it is something else. */
static int read_part(const char *text, size_t size, const char *key, uint32_t *out)
{
    uint64_t number = 0;
    size_t at = strlen(key);
    if (size <= at || strncmp(text, key, at) != 0 || *out != NOT_GIVEN)
        return 0;
    char *digits = wci_strndup(text + at, size - at);
    int ok = digits && wci_parse_u64(digits, MAX_ID, &number);
    wci_free(digits);
    *out = (uint32_t)number;
    return ok;
}

static int parse(const char *mode, uint32_t *uid, uint32_t *gid)
{
    *uid = *gid = NOT_GIVEN;
    if (!wci_starts_with(mode, MODE))
        return 0;
    const char *at = mode + strlen(MODE);
    if (!*at)
        return 1;
    if (*at != ':')
        return 0;
    do { /* behind ':' or ',' */
        size_t size = strcspn(++at, ",");
        if (!read_part(at, size, "uid=", uid) && !read_part(at, size, "gid=", gid))
            return 0;
        at += size;
    } while (*at);
    return 1;
}

int wci_keep_id_is(const char *mode)
{
    uint32_t uid, gid;
    return parse(mode, &uid, &gid);
}

/* Of ids from 0 on, of which the first is the user: he becomes `id`, and those below it come after him. */
static int make_map(uint32_t id, uint32_t count, wci_strv *maps)
{
    char *before = id ? wci_asprintf("0:1:%u", id) : NULL, *own = wci_asprintf("%u:0:1", id);
    char *after = count > id + 1 ? wci_asprintf("%u:%u:%u", id + 1, id + 1, count - id - 1) : NULL;
    int failed = !own || (id && !before) || (count > id + 1 && !after);
    failed |= before && wci_strv_add(maps, before);
    failed |= own && wci_strv_add(maps, own);
    failed |= after && wci_strv_add(maps, after);
    wci_free(before);
    wci_free(own);
    wci_free(after);
    return failed;
}

static uint32_t count_ids(const wci_id_map *map)
{
    const wci_id_range *last = map->count ? &map->ranges[map->count - 1] : NULL;
    return last ? last->inside + last->count : 0;
}

static int32_t check(const wci_user_ids *ids, uint32_t uid, uint32_t gid, wc_error **err)
{
    if (wci_host_is_root())
        return wci_err(err, WC_E_UNSUPPORTED, "user namespace '" MODE "': is for ordinary users; root gives maps of ids");
    if (ids->lacking[0])
        return wci_err(err, WC_E_UNSUPPORTED, "user namespace '" MODE "': %s", ids->lacking);
    if (uid >= count_ids(&ids->uids) || gid >= count_ids(&ids->gids))
        return wci_err(err, WC_E_UNSUPPORTED,
                       "user namespace '" MODE "': there are only %u ids, too few for user %u and group %u; take lower ones "
                       "(" MODE ":uid=1000,gid=1000), or give this user more of them in /etc/subuid and /etc/subgid",
                       count_ids(&ids->uids), uid, gid);
    return WC_OK;
}

int32_t wci_keep_id_settle(wci_config *c, int is_user_given, wc_error **err)
{
    uint32_t uid, gid;
    wci_user_ids ids;
    if (!parse(c->user_mode, &uid, &gid))
        return WC_OK;
    if (c->uid_maps.count || c->gid_maps.count)
        return wci_err(err, WC_E_INVALID, "user namespace '" MODE "': makes its own maps; leave one out");
    wci_user_ids_read(&ids);
    uid = uid == NOT_GIVEN ? wci_host_uid() : uid;
    gid = gid == NOT_GIVEN ? wci_host_gid() : gid;
    int32_t rc = check(&ids, uid, gid, err);
    if (rc)
        return rc;
    char *user = wci_asprintf("%u:%u", uid, gid);
    int failed = !user || make_map(uid, count_ids(&ids.uids), &c->uid_maps) ||
                 make_map(gid, count_ids(&ids.gids), &c->gid_maps) || (!is_user_given && wci_replace(&c->user, user));
    wci_free(user);
    return failed ? wci_err_nomem(err) : WC_OK;
}
