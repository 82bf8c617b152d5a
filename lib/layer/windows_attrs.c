/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/windows_attrs.h"

#include <string.h>

#include "core/alloc.h"
#include "core/base64.h"
#include "core/error.h"
#include "core/str.h"
#include "layer/path.h"
#include "layer/security.h"

#define PREFIX "MSWINDOWS."
#define EA_PREFIX "xattr."

enum {
    ATTRIBUTE_DIRECTORY = 0x10,
    MAX_EA_NAME = 254,
    MAX_EA_VALUE = 65535,
};

int wci_windows_is_record(const char *key)
{
    return wci_starts_with(key, PREFIX);
}

/* ---- Values ----------------------------------------------------------------------------------- */

static int32_t bad_record(const char *key, const char *why, wc_error **err)
{
    char shown[WCI_SHOWN_SIZE];
    return wci_err(err, WC_E_FORMAT, "pax header: the value of '%s' %s", wci_path_shown(key, shown),
                   why);
}

static int32_t decode(const char *key, const char *value, size_t size, char **data, size_t *data_size,
                      wc_error **err)
{
    if (memchr(value, '\0', size) || !(*data = wci_base64_decode(value, data_size)))
        return bad_record(key, "is not base64", err);
    return WC_OK;
}

static int32_t check_security(const char *key, const char *value, size_t size, wc_error **err)
{
    char *data = NULL;
    size_t data_size = 0;
    int32_t rc = decode(key, value, size, &data, &data_size, err);
    if (!rc && (rc = wci_security_check(data, data_size, err)))
        rc = wci_err_wrap(err, rc, "pax header: the value of '%s' is not acceptable", key);
    wci_free(data);
    return rc;
}

static int is_printable(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (text[i] < ' ' || text[i] > '~')
            return 0;
    return 1;
}

static int32_t check_ea(const char *key, const char *value, size_t size, wc_error **err)
{
    const char *name = key + strlen(PREFIX EA_PREFIX);
    size_t name_size = strlen(name), data_size = 0;
    char *data = NULL;
    if (!name_size || name_size > MAX_EA_NAME || !is_printable(name, name_size))
        return bad_record(key, "belongs to no possible name", err);
    int32_t rc = decode(key, value, size, &data, &data_size, err);
    if (!rc && data_size > MAX_EA_VALUE)
        rc = bad_record(key, "is too long", err);
    wci_free(data);
    return rc;
}

static int32_t take_file_attributes(wci_windows_attrs *attrs, const char *key, const char *value,
                                    size_t size, wc_error **err)
{
    uint64_t number = 0;
    if (!wci_tar_decimal(value, value + size, UINT32_MAX, &number))
        return bad_record(key, "is not a number of 32 bits", err);
    attrs->file_attributes = (uint32_t)number;
    return WC_OK;
}

int32_t wci_windows_take_record(wci_windows_attrs *attrs, const char *key, const char *value,
                                size_t size, wc_error **err)
{
    const char *name = key + strlen(PREFIX);
    attrs->is_present = 1;
    if (strcmp(name, "rawsd") == 0)
        return check_security(key, value, size, err);
    if (strcmp(name, "sd") == 0) /* SDDL, of the first layers there were */
        return is_printable(value, size) ? WC_OK : bad_record(key, "is not plain text", err);
    if (strcmp(name, "fileattr") == 0)
        return take_file_attributes(attrs, key, value, size, err);
    if (strcmp(name, "mountpoint") == 0) {
        attrs->is_junction = 1;
        return size == 1 && *value == '1' ? WC_OK : bad_record(key, "is not '1'", err);
    }
    if (wci_starts_with(name, EA_PREFIX))
        return check_ea(key, value, size, err);
    return WC_OK;
}

/* ---- Entries ---------------------------------------------------------------------------------- */

static int is_separator(char c)
{
    return c == '\\' || c == '/';
}

/* Past "\\?\" or "\??\", both of which lead into the namespace of NT. */
static const char *past_nt_prefix(const char *target)
{
    int leads = is_separator(target[0]) && (is_separator(target[1]) || target[1] == '?') &&
                target[2] == '?' && is_separator(target[3]);
    return leads ? target + 4 : target;
}

/* The part between separators that begins there is "..". */
static int is_dotdot(const char *part, size_t size)
{
    return size == 2 && part[0] == '.' && part[1] == '.';
}

static const char *junction_problem(const char *target)
{
    const char *p = past_nt_prefix(target);
    if ((*p != 'C' && *p != 'c') || p[1] != ':' || !is_separator(p[2]))
        return "does not lead to a place on C:";
    for (p += 3; *p;) {
        size_t size = strcspn(p, "\\/");
        if (is_dotdot(p, size))
            return "goes back on its way";
        if (memchr(p, ':', size))
            return "has a second colon";
        p += size + (p[size] != '\0');
    }
    return NULL;
}

static int32_t check_junction(const wci_tar_entry *entry, wc_error **err)
{
    char shown[WCI_SHOWN_SIZE];
    if (entry->type != WCI_ENTRY_SYMLINK)
        return wci_err(err, WC_E_FORMAT, "junction: is not a link");
    const char *problem = junction_problem(entry->link);
    if (problem)
        return wci_err(err, WC_E_FORMAT, "junction to '%s': %s", wci_path_shown(entry->link, shown),
                       problem);
    return WC_OK;
}

int32_t wci_windows_check_entry(const wci_tar_entry *entry, wc_error **err)
{
    const wci_windows_attrs *attrs = &entry->windows;
    if (attrs->file_attributes & ATTRIBUTE_DIRECTORY && entry->type == WCI_ENTRY_FILE)
        return wci_err(err, WC_E_FORMAT, "file: its attributes say that it is a directory");
    return attrs->is_junction ? check_junction(entry, err) : WC_OK;
}

int wci_windows_is_stream_of(const char *path, const char *owner)
{
    size_t size = strlen(owner);
    if (!size || strncmp(path, owner, size) != 0 || path[size] != ':')
        return 0;
    const char *stream = path + size + 1;
    return *stream && !stream[strcspn(stream, "\\/:*?\"<>|")];
}
