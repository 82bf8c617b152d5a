/* SPDX-License-Identifier: Apache-2.0 */
/* Documentation: subuid(5), user_namespaces(7). */
#include "platform/userns.h"

#include <ctype.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/str.h"
#include "platform/file.h"
#include "platform/host.h"

#define FILE_MAX ((size_t)16 << 20)
#define ALL_IDS 4294967295u /* the last number means "no id" */

static uint32_t next_inside(const wci_id_map *map)
{
    const wci_id_range *last = map->count ? &map->ranges[map->count - 1] : NULL;
    return last ? last->inside + last->count : 0;
}

static void add_range(wci_id_map *map, uint32_t first, uint32_t count)
{
    uint32_t inside = next_inside(map);
    if (map->count < WCI_ID_RANGES_MAX && count && first <= ALL_IDS - count && inside <= ALL_IDS - count)
        map->ranges[map->count++] = (wci_id_range){inside, first, count};
}

/* Digits up to `end`; 0 when it is no number. */
static int read_number(const char *at, const char *end, uint32_t *out)
{
    uint64_t value = 0;
    if (at == end)
        return 0;
    for (; at < end; at++) {
        if (!isdigit((unsigned char)*at) || (value = value * 10 + (uint64_t)(*at - '0')) > ALL_IDS)
            return 0;
    }
    *out = (uint32_t)value;
    return 1;
}

static int is_owner(const char *at, size_t size, const char *name, uint32_t uid)
{
    uint32_t number;
    if (name && strlen(name) == size && !memcmp(at, name, size))
        return 1;
    return read_number(at, at + size, &number) && number == uid;
}

/* "name:first:count" */
static void add_line(wci_id_map *map, const char *line, const char *end, const char *name, uint32_t uid)
{
    uint32_t first, count;
    const char *one = memchr(line, ':', (size_t)(end - line));
    const char *two = one ? memchr(one + 1, ':', (size_t)(end - one - 1)) : NULL;
    if (two && is_owner(line, (size_t)(one - line), name, uid) && read_number(one + 1, two, &first) &&
        read_number(two + 1, end, &count))
        add_range(map, first, count);
}

void wci_id_map_add_text(wci_id_map *map, const char *text, const char *name, uint32_t uid)
{
    while (*text) {
        const char *end = text + strcspn(text, "\n");
        add_line(map, text, end, name, uid);
        text = *end ? end + 1 : end;
    }
}

char *wci_id_map_text(const wci_id_map *map)
{
    wci_str text = WCI_STR_INIT;
    for (size_t i = 0; i < map->count; i++)
        wci_str_printf(&text, "%s%u:%u:%u", i ? "," : "", map->ranges[i].inside, map->ranges[i].outside,
                       map->ranges[i].count);
    char *out = text.failed ? NULL : wci_strdup(text.data ? text.data : "");
    wci_str_free(&text);
    return out;
}

/* ---- This user's -------------------------------------------------------------------------------- */

static void read_file(const char *path, const char *name, wci_id_map *map)
{
    wc_buf *bytes = NULL;
    if (wci_file_read_all(path, FILE_MAX, &bytes, NULL))
        return;
    char *text = wci_strndup(wc_buf_data(bytes), wc_buf_size(bytes));
    if (text)
        wci_id_map_add_text(map, text, name, wci_host_uid());
    wci_free(text);
    wc_buf_unref(bytes);
}

/* One alone, or none, is of no use: files have both kinds of owners. */
static void keep_own(wci_user_ids *ids)
{
    ids->uids.count = ids->gids.count = 1;
}

static void look_for_what_lacks(wci_user_ids *ids, const char *name)
{
    static const char *const programs[] = {"newuidmap", "newgidmap"};
    const char *file = ids->uids.count < 2 ? "/etc/subuid" : ids->gids.count < 2 ? "/etc/subgid" : NULL;
    if (file)
        snprintf(ids->lacking, sizeof ids->lacking,
                 "%s gives no ids to user '%.64s'; run: usermod --add-subuids 100000-165535 --add-subgids "
                 "100000-165535 %.64s", file, name, name);
    for (size_t i = 0; i < 2 && !ids->lacking[0]; i++) {
        char *path = wci_host_find_program(programs[i]);
        if (!path)
            snprintf(ids->lacking, sizeof ids->lacking, "the program %s was not found; install the package uidmap",
                     programs[i]);
        wci_free(path);
    }
}

void wci_user_ids_read(wci_user_ids *out)
{
    char buffer[16384], number[16];
    struct passwd entry, *found = NULL;
    memset(out, 0, sizeof *out);
    add_range(&out->uids, wci_host_uid(), 1);
    add_range(&out->gids, wci_host_gid(), 1);
    getpwuid_r(wci_host_uid(), &entry, buffer, sizeof buffer, &found);
    read_file("/etc/subuid", found ? found->pw_name : NULL, &out->uids);
    read_file("/etc/subgid", found ? found->pw_name : NULL, &out->gids);
    snprintf(number, sizeof number, "%u", wci_host_uid());
    look_for_what_lacks(out, found ? found->pw_name : number);
    if (out->lacking[0])
        keep_own(out);
}

/* ---- The kernel --------------------------------------------------------------------------------- */

static void read_own_map(const char *path, wci_id_map *map)
{
    FILE *f = fopen(path, "re");
    wci_id_range r;
    while (f && map->count < WCI_ID_RANGES_MAX && fscanf(f, "%u %u %u", &r.inside, &r.outside, &r.count) == 3)
        map->ranges[map->count++] = r;
    if (f)
        fclose(f);
}

void wci_userns_read(wci_user_ids *out)
{
    memset(out, 0, sizeof *out);
    read_own_map("/proc/self/uid_map", &out->uids);
    read_own_map("/proc/self/gid_map", &out->gids);
}

int wci_userns_is_inside(void)
{
    unsigned long inside = 0, outside = 0, length = 0;
    FILE *map = fopen("/proc/self/uid_map", "re");
    int n = map ? fscanf(map, "%lu %lu %lu", &inside, &outside, &length) : 0;
    if (map)
        fclose(map);
    return n == 3 && (inside || outside || length != ALL_IDS);
}

static long read_setting(const char *path, long fallback)
{
    long value = fallback;
    FILE *f = fopen(path, "re");
    if (f && fscanf(f, "%ld", &value) != 1)
        value = fallback;
    if (f)
        fclose(f);
    return value;
}

const char *wci_userns_forbidden(void)
{
    if (read_setting("/proc/sys/kernel/unprivileged_userns_clone", 1) == 0)
        return "the host forbids them to ordinary users; run: sysctl kernel.unprivileged_userns_clone=1";
    if (read_setting("/proc/sys/user/max_user_namespaces", 1) == 0)
        return "the host allows none; run: sysctl user.max_user_namespaces=15000";
    if (read_setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", 0) == 1)
        return "AppArmor forbids them to programs without a profile; run: sysctl "
               "kernel.apparmor_restrict_unprivileged_userns=0";
    return NULL;
}
