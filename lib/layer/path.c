/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/path.h"

#include <string.h>

#include "core/error.h"

enum { MAX_COMPONENT = 255 };

const char *wci_path_shown(const char *name, char out[WCI_SHOWN_SIZE])
{
    wci_show(name, out);
    return out;
}

static void drop_last(wci_str *path)
{
    while (path->size && path->data[path->size - 1] != '/')
        path->size--;
    if (path->size)
        path->size--;
    path->data[path->size] = '\0';
}

static int32_t add_component(wci_str *out, const char *part, size_t size, const char *what,
                             wc_error **err)
{
    if (size == 0 || (size == 1 && part[0] == '.'))
        return WC_OK;
    if (size == 2 && part[0] == '.' && part[1] == '.') {
        if (!out->size)
            return wci_err(err, WC_E_FORMAT, "%s leads out of the root", what);
        drop_last(out);
        return WC_OK;
    }
    if (size > MAX_COMPONENT)
        return wci_err(err, WC_E_LIMIT, "%s has a part longer than %d bytes", what,
                       MAX_COMPONENT);
    if (out->size)
        wci_str_append_c(out, '/');
    wci_str_append_n(out, part, size);
    return WC_OK;
}

int32_t wci_path_clean(const char *name, const wci_limits *limits, const char *what, wci_str *out,
                       wc_error **err)
{
    wci_str_clear(out);
    wci_str_append_n(out, "", 0);
    if (!*name)
        return wci_err(err, WC_E_FORMAT, "%s is empty", what);
    if (strlen(name) > limits->max_path)
        return wci_err(err, WC_E_LIMIT, "%s is longer than %u bytes", what,
                       (unsigned)limits->max_path);
    const char *part = name;
    for (;;) {
        size_t size = strcspn(part, "/");
        int32_t rc = add_component(out, part, size, what, err);
        if (rc)
            return rc;
        if (!part[size])
            break;
        part += size + 1;
    }
    return out->failed ? wci_err_nomem(err) : WC_OK;
}

void wci_archive_split(char *path, const char **parent, const char **name)
{
    char *slash = strrchr(path, '/');
    const char *last = slash ? slash + 1 : path;
    if (strcmp(last, "..") == 0) {
        *parent = path;
        *name = "";
        return;
    }
    *name = strcmp(last, ".") == 0 ? "" : last;
    *parent = slash ? path : "/";
    if (slash)
        *slash = '\0';
}
