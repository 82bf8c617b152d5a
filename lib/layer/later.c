/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/later.h"

#include "core/alloc.h"
#include "core/error.h"
#include "layer/path.h"

int wci_later_may_be(const wci_attr_rules *rules, const wci_attrs *attrs)
{
    return rules->keep_owner && !attrs->xattr_count && wci_tree_better_together(attrs->uid, attrs->gid);
}

void wci_later_free(wci_later_files *later)
{
    for (size_t i = 0; i < later->count; i++) {
        wci_fd_close(later->items[i].file);
        wci_free(later->paths[i]);
    }
    later->count = 0;
}

/* Which one it was, in words of its own. */
static int32_t find_culprit(const wci_later_files *later, wc_error **err)
{
    char shown[WCI_SHOWN_SIZE];
    for (size_t i = 0; i < later->count; i++) {
        const wci_tree_finish *f = &later->items[i];
        int32_t rc = wci_tree_finish_file(f->file, f->uid, f->gid, f->mode, f->mtime_sec, f->mtime_nsec, err);
        if (rc)
            return wci_err_wrap(err, rc, "entry '%s'", wci_path_shown(later->paths[i], shown));
    }
    return WC_OK;
}

int32_t wci_later_finish(wci_later_files *later, wc_error **err)
{
    wc_error *why = NULL;
    int32_t rc = later->count ? wci_tree_finish_files(later->items, later->count, &why) : WC_OK;
    wc_error_unref(why);
    if (rc)
        rc = find_culprit(later, err);
    wci_later_free(later);
    return rc;
}

int32_t wci_later_add(wci_later_files *later, wci_fd file, const wci_attrs *attrs, const char *path, wc_error **err)
{
    char *copy = wci_strdup(path);
    if (!copy) {
        wci_fd_close(file);
        return wci_err_nomem(err);
    }
    later->paths[later->count] = copy;
    later->items[later->count++] =
        (wci_tree_finish){file, attrs->uid, attrs->gid, attrs->mode, attrs->mtime_sec, attrs->mtime_nsec};
    return later->count == WCI_TREE_FINISH_MAX ? wci_later_finish(later, err) : WC_OK;
}
