/* SPDX-License-Identifier: Apache-2.0 */
#include "container/user.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"

/* As in Docker; above it lie ids that the kernel or other programs take for negative. */
#define MAX_ID UINT64_C(2147483647)
#define MAX_FILE ((size_t)8 << 20)
#define MAX_GROUPS 4096

void wci_user_free(wci_user *user)
{
    wci_free(user->groups);
    wci_free(user->home);
    memset(user, 0, sizeof *user);
}

/* The whole text looks like a number, with or without sign: then it is one, never a name. */
static int is_number(const char *text)
{
    if (*text == '-' || *text == '+')
        text++;
    return *text && strspn(text, "0123456789") == strlen(text);
}

static int32_t parse_id(const char *text, const char *what, uint32_t *out, wc_error **err)
{
    uint64_t id;
    if (!wci_parse_u64(text, MAX_ID, &id))
        return wci_err(err, WC_E_INVALID, "%s '%.40s': must be from 0 to 2147483647", what, text);
    *out = (uint32_t)id;
    return WC_OK;
}

/* Splits "user[:group]"; *group is NULL when there is none. Both are owned. */
static int32_t split(const char *spec, char **user, char **group, wc_error **err)
{
    const char *colon = strchr(spec, ':');
    if (colon && strchr(colon + 1, ':'))
        return wci_err(err, WC_E_INVALID, "user '%.80s': must be 'user' or 'user:group'", spec);
    *user = colon ? wci_strndup(spec, (size_t)(colon - spec)) : wci_strdup(spec);
    *group = colon && colon[1] ? wci_strdup(colon + 1) : NULL;
    if (*user && (*group || !colon || !colon[1]))
        return WC_OK;
    wci_free(*user);
    wci_free(*group);
    return wci_err_nomem(err);
}

int32_t wci_user_check(const char *spec, wc_error **err)
{
    char *user, *group;
    uint32_t id;
    int32_t rc = split(spec, &user, &group, err);
    if (rc)
        return rc;
    if (is_number(user))
        rc = parse_id(user, "user", &id, err);
    if (!rc && group && is_number(group))
        rc = parse_id(group, "group", &id, err);
    wci_free(user);
    wci_free(group);
    return rc;
}

/* ---- Lines of the files ----------------------------------------------------------------------- */

typedef struct span {
    const char *at;
    size_t size;
} span;

static int span_is(span s, const char *text)
{
    return strlen(text) == s.size && !memcmp(s.at, text, s.size);
}

static int span_id(span s, uint32_t *out)
{
    char text[16];
    uint64_t id;
    if (s.size >= sizeof text)
        return 0;
    memcpy(text, s.at, s.size);
    text[s.size] = '\0';
    if (!wci_parse_u64(text, MAX_ID, &id))
        return 0;
    *out = (uint32_t)id;
    return 1;
}

/* The next line of *text as colon-separated fields; absent fields are empty. 0 at the end. */
static int next_line(const char **text, span *fields, size_t count)
{
    if (!**text)
        return 0;
    const char *end = *text + strcspn(*text, "\n");
    const char *p = *text;
    for (size_t i = 0; i < count; i++) {
        const char *stop = memchr(p, ':', (size_t)(end - p));
        if (!stop)
            stop = end;
        fields[i] = (span){p, (size_t)(stop - p)};
        p = stop < end ? stop + 1 : end;
    }
    *text = *end ? end + 1 : end;
    return 1;
}

static int span_lists(span list, span name)
{
    const char *p = list.at, *end = list.at + list.size;
    while (p < end) {
        const char *stop = memchr(p, ',', (size_t)(end - p));
        if (!stop)
            stop = end;
        if ((size_t)(stop - p) == name.size && !memcmp(p, name.at, name.size))
            return 1;
        p = stop + 1;
    }
    return 0;
}

/* ---- Looking up ------------------------------------------------------------------------------- */

/* Finds the passwd line; *name stays empty when a numeric user has none. */
static int32_t find_user(const char *passwd, const char *user, wci_user *out, span *name,
                         wc_error **err)
{
    int numeric = is_number(user);
    uint32_t wanted = 0, uid, gid;
    int32_t rc = numeric ? parse_id(user, "user", &wanted, err) : WC_OK;
    if (rc)
        return rc;
    span f[7];
    while (next_line(&passwd, f, 7)) {
        if (!f[0].size || !span_id(f[2], &uid) || !span_id(f[3], &gid))
            continue;
        if (numeric ? uid != wanted : !span_is(f[0], user))
            continue;
        out->uid = uid;
        out->gid = gid;
        *name = f[0];
        out->home = wci_strndup(f[5].at, f[5].size);
        return out->home ? WC_OK : wci_err_nomem(err);
    }
    if (!numeric)
        return wci_err(err, WC_E_NOT_FOUND,
                       "user '%.80s': is not in the image's /etc/passwd; give a name that is, or a number",
                       user);
    out->uid = wanted;
    return WC_OK;
}

static int32_t find_group(const char *text, const char *group, uint32_t *out, wc_error **err)
{
    uint32_t gid;
    if (is_number(group))
        return parse_id(group, "group", out, err);
    span f[4];
    while (next_line(&text, f, 4))
        if (f[0].size && span_is(f[0], group) && span_id(f[2], &gid)) {
            *out = gid;
            return WC_OK;
        }
    return wci_err(err, WC_E_NOT_FOUND,
                   "group '%.80s': is not in the image's /etc/group; give a name that is, or a number",
                   group);
}

static int32_t add_group(wci_user *user, uint32_t gid, wc_error **err)
{
    for (size_t i = 0; i < user->group_count; i++)
        if (user->groups[i] == gid)
            return WC_OK;
    if (user->group_count == MAX_GROUPS)
        return wci_err(err, WC_E_LIMIT, "user: is a member of more than %d groups in /etc/group",
                       MAX_GROUPS);
    if (!wci_grow(&user->groups, &user->group_cap, user->group_count + 1, sizeof *user->groups))
        return wci_err_nomem(err);
    user->groups[user->group_count++] = gid;
    return WC_OK;
}

static int32_t add_memberships(const char *text, span name, wci_user *user, wc_error **err)
{
    span f[4];
    uint32_t gid;
    int32_t rc = WC_OK;
    while (!rc && name.size && next_line(&text, f, 4))
        if (f[0].size && span_lists(f[3], name) && span_id(f[2], &gid))
            rc = add_group(user, gid, err);
    return rc;
}

int32_t wci_user_resolve_in(const char *passwd, const char *group, const char *spec, wci_user *out,
                            wc_error **err)
{
    char *user_name, *group_name;
    int32_t rc = split(spec, &user_name, &group_name, err);
    if (rc)
        return rc;
    wci_user user = {0};
    span name = {"", 0};
    rc = find_user(passwd, *user_name ? user_name : "0", &user, &name, err);
    if (!rc && group_name)
        rc = find_group(group, group_name, &user.gid, err);
    if (!rc)
        rc = add_group(&user, user.gid, err);
    if (!rc && !group_name)
        rc = add_memberships(group, name, &user, err);
    if (!rc && (!user.home || !*user.home) && wci_replace(&user.home, "/"))
        rc = wci_err_nomem(err);
    wci_free(user_name);
    wci_free(group_name);
    if (rc)
        wci_user_free(&user);
    else
        *out = user;
    return rc;
}

/* A file that is not there, or that is no regular file, has no entries. */
static int32_t read_entries(const wci_rootfs *rootfs, const char *path, wc_buf **out, wc_error **err)
{
    wc_error *cause = NULL;
    int32_t rc = wci_rootfs_read(rootfs, path, MAX_FILE, out, &cause);
    if (rc == WC_E_NOT_FOUND || rc == WC_E_FORMAT) {
        wc_error_unref(cause);
        return WC_OK;
    }
    return rc ? wci_err_move(err, cause) : WC_OK;
}

int32_t wci_user_resolve(const wci_rootfs *rootfs, const char *spec, wci_user *out, wc_error **err)
{
    wc_buf *passwd = NULL, *group = NULL;
    int32_t rc = read_entries(rootfs, "etc/passwd", &passwd, err);
    if (!rc)
        rc = read_entries(rootfs, "etc/group", &group, err);
    if (!rc)
        rc = wci_user_resolve_in(wc_buf_data(passwd), wc_buf_data(group), spec, out, err);
    wc_buf_unref(passwd);
    wc_buf_unref(group);
    return rc;
}

int32_t wci_user_add_groups(const wci_rootfs *rootfs, const wci_strv *names, wci_user *user, wc_error **err)
{
    wc_buf *file = NULL;
    int32_t rc = names->count ? read_entries(rootfs, "etc/group", &file, err) : WC_OK;
    for (size_t i = 0; !rc && i < names->count; i++) {
        uint32_t gid = 0;
        rc = find_group(wc_buf_data(file), names->items[i], &gid, err);
        if (!rc)
            rc = add_group(user, gid, err);
    }
    wc_buf_unref(file);
    return rc;
}
