/* SPDX-License-Identifier: Apache-2.0 */
/* The table of mounts. Documentation: proc_pid_mountinfo(5). */
#include <errno.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "core/alloc.h"
#include "core/error.h"
#include "platform/mount.h"

#define TABLE "/proc/self/mountinfo"
#define TABLE_MAX ((size_t)64 << 20)
#define BOOT_ID "/proc/sys/kernel/random/boot_id"

/* One line: 36 35 98:0 /root /mount/point options [fields] - type source superoptions */
typedef struct entry {
    char *point, *source;
} entry;

static int is_octal(const char *s)
{
    return s[0] >= '0' && s[0] <= '3' && s[1] >= '0' && s[1] <= '7' && s[2] >= '0' && s[2] <= '7';
}

/* "\040" is a space, and so on; in place. */
static void unescape(char *text)
{
    char *to = text;
    for (const char *from = text; *from; from++) {
        if (*from == '\\' && is_octal(from + 1)) {
            *to++ = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + from[3] - '0');
            from += 3;
        } else {
            *to++ = *from;
        }
    }
    *to = '\0';
}

/* The n-th word, from 0; the text after it goes on at *rest. */
static char *word(char *line, int n, char **rest)
{
    char *found = NULL, *save = NULL;
    for (char *at = strtok_r(line, " ", &save); at; at = n-- > 0 ? strtok_r(NULL, " ", &save) : NULL)
        found = n == 0 ? at : found;
    *rest = save;
    return found;
}

static int read_line(char *line, entry *out)
{
    char *after = strstr(line, " - "), *rest;
    if (!after)
        return 0;
    *after = '\0';
    out->point = word(line, 4, &rest);
    out->source = word(after + 3, 1, &rest);
    if (!out->point || !out->source)
        return 0;
    unescape(out->point);
    unescape(out->source);
    return 1;
}

static int32_t find_in(char *table, const char *source, char **out, int *is_covered, wc_error **err)
{
    char *save = NULL;
    entry e;
    for (char *line = strtok_r(table, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        if (!read_line(line, &e))
            continue;
        if (*out && !strcmp(*out, e.point))
            *is_covered = 1;
        if (strcmp(e.source, source))
            continue;
        if (wci_replace(out, e.point))
            return wci_err_nomem(err);
        *is_covered = 0;
    }
    return WC_OK;
}

int32_t wci_mount_find(const char *source, char **out, int *is_covered, wc_error **err)
{
    wc_buf *bytes = NULL;
    char *found = NULL;
    *is_covered = 0;
    int32_t rc = wci_file_read_all(TABLE, TABLE_MAX, &bytes, err);
    char *table = rc ? NULL : wci_strndup(wc_buf_data(bytes), wc_buf_size(bytes));
    if (!rc)
        rc = table ? find_in(table, source, &found, is_covered, err) : wci_err_nomem(err);
    wci_free(table);
    wc_buf_unref(bytes);
    if (rc)
        wci_free(found);
    else
        *out = found;
    return rc;
}

int32_t wci_mount_remove(const char *path, wc_error **err)
{
    if (umount2(path, UMOUNT_NOFOLLOW) == 0)
        return WC_OK;
    if (errno == EBUSY)
        return wci_err_native(err, WC_E_IN_USE, WC_DOMAIN_ERRNO, errno, "'%s': somebody works in it", path);
    return wci_err_errno(err, errno, "'%s': cannot be unmounted", path);
}

int32_t wci_mount_scope(char **boot, char **table, wc_error **err)
{
    struct stat st;
    wc_buf *bytes = NULL;
    if (stat("/proc/self/ns/mnt", &st))
        return wci_err_errno(err, errno, "mount namespace");
    int32_t rc = wci_file_read_all(BOOT_ID, 100, &bytes, err);
    if (rc)
        return rc;
    *boot = wci_strndup(wc_buf_data(bytes), strcspn(wc_buf_data(bytes), "\n"));
    *table = *boot ? wci_asprintf("%s %llu", *boot, (unsigned long long)st.st_ino) : NULL;
    wc_buf_unref(bytes);
    if (*table)
        return WC_OK;
    wci_free(*boot);
    *boot = NULL;
    return wci_err_nomem(err);
}
