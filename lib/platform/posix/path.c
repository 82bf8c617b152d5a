/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/error.h"
#include "platform/file.h"

char *wci_path_join(const char *a, const char *b)
{
    size_t n = strlen(a);
    return wci_asprintf("%s%s%s", a, n && a[n - 1] == '/' ? "" : "/", b);
}

char *wci_path_join3(const char *a, const char *b, const char *c)
{
    char *ab = wci_path_join(a, b);
    char *abc = ab ? wci_path_join(ab, c) : NULL;
    wci_free(ab);
    return abc;
}

char *wci_path_parent(const char *path)
{
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    while (n && path[n - 1] != '/')
        n--;
    while (n > 1 && path[n - 1] == '/')
        n--;
    return n ? wci_memdup(path, n) : wci_strdup(".");
}

const char *wci_path_base(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

int wci_path_is_absolute(const char *path)
{
    return path[0] == '/';
}

int32_t wci_path_real(const char *path, char **out, wc_error **err)
{
    char real[PATH_MAX];
    if (!realpath(path, real))
        return wci_err_errno(err, errno, "path '%s': resolving", path);
    char *copy = wci_strdup(real);
    if (!copy)
        return wci_err_nomem(err);
    *out = copy;
    return WC_OK;
}

/* Without "//", "." and "..", which goes up by name as a shell's `cd` does. */
static char *clean_absolute(const char *path)
{
    wci_str s = WCI_STR_INIT;
    for (const char *p = path; *p;) {
        size_t n = strcspn(p, "/");
        if (n == 2 && !memcmp(p, "..", 2)) {
            while (s.size && s.data[--s.size] != '/')
                ;
        } else if (n && !(n == 1 && *p == '.')) {
            wci_str_append_c(&s, '/');
            wci_str_append_n(&s, p, n);
        }
        p += n + (p[n] == '/');
    }
    if (!s.size)
        wci_str_append_c(&s, '/');
    else
        s.data[s.size] = '\0';
    return wci_str_take(&s);
}

int32_t wci_path_absolute(const char *path, char **out, wc_error **err)
{
    char cwd[PATH_MAX];
    char *joined;
    if (wci_path_is_absolute(path)) {
        joined = wci_strdup(path);
    } else {
        if (!getcwd(cwd, sizeof cwd))
            return wci_err_errno(err, errno, "current directory");
        joined = wci_path_join(cwd, path);
    }
    char *clean = joined ? clean_absolute(joined) : NULL;
    wci_free(joined);
    if (!clean)
        return wci_err_nomem(err);
    *out = clean;
    return WC_OK;
}
