/* SPDX-License-Identifier: Apache-2.0 */
/* A plain tar into a directory: for cp and import. No whiteouts, nothing hidden. */
#include <string.h>

#include "core/error.h"
#include "layer/extract.h"

static int32_t apply_hardlink(wci_extract *x, const wci_tar_entry *entry, wci_dir *parent,
                              const char *name, wc_error **err)
{
    wci_dir *from;
    char *from_name;
    int32_t rc = wci_path_clean(entry->link, x->limits, "its target", &x->target, err);
    if (rc)
        return rc;
    if (!x->target.size || strcmp(x->target.data, x->path.data) == 0)
        return wci_err(err, WC_E_FORMAT, "hard link: its target is the root or itself");
    if ((rc = wci_extract_parent(x, &x->target, WCI_ENTER_FIND, &from, &from_name, err)))
        return rc;
    rc = wci_extract_link(x, from, from_name, parent, name, err);
    if (rc != WC_E_NOT_FOUND || !wci_strv_contains(&x->left_out, x->target.data))
        return rc;
    wci_err_clear(err);
    return wci_extract_leave_out(x, err);
}

static int32_t apply_dir(wci_extract *x, const wci_tar_entry *entry, wci_dir *parent,
                         const char *name, wc_error **err)
{
    wci_dir *dir;
    int32_t rc = wci_extract_dir(x, parent, name, WCI_ENTER_MAKE, &dir, err);
    return rc ? rc : wci_dirs_set_attrs(x->dirs, dir, &entry->attrs, err);
}

static int32_t apply_entry(wci_extract *x, wci_tar_reader *reader, const wci_tar_entry *entry,
                           wc_error **err)
{
    wci_dir *parent;
    char *name;
    int32_t rc;
    if (entry->type == WCI_ENTRY_IGNORED)
        return WC_OK;
    if ((rc = wci_extract_take_path(x, entry, err)))
        return rc;
    if (!x->path.size && entry->type != WCI_ENTRY_DIR)
        return wci_err(err, WC_E_FORMAT, "the root must be a directory");
    if (!x->path.size)
        return wci_dirs_set_attrs(x->dirs, wci_dirs_root(x->dirs), &entry->attrs, err);
    if ((rc = wci_extract_parent(x, &x->path, WCI_ENTER_MAKE, &parent, &name, err)))
        return rc;
    if (entry->type == WCI_ENTRY_DIR)
        return apply_dir(x, entry, parent, name, err);
    if (entry->type == WCI_ENTRY_HARDLINK)
        return apply_hardlink(x, entry, parent, name, err);
    return wci_extract_node(x, reader, entry, parent, name, err);
}

static int32_t apply_entries(wci_extract *x, wci_tar_reader *reader, wc_error **err)
{
    for (;;) {
        const wci_tar_entry *entry;
        char shown[WCI_SHOWN_SIZE];
        int32_t rc = wci_tar_reader_next(reader, &entry, err);
        if (rc || !entry)
            return rc;
        rc = apply_entry(x, reader, entry, err);
        if (rc)
            return wci_err_wrap(err, rc, "tar entry '%s'", wci_path_shown(entry->name, shown));
    }
}

int32_t wci_tar_apply(const wci_source *tar, wci_fd dir, int flags, const wci_limits *limits,
                      const _Atomic int *stop, wci_unpack_stats *stats, wc_error **err)
{
    const wci_tar_input input = {.source = *tar, .limits = limits, .stop = stop};
    wci_unpack_stats done = {.skipped = WCI_STRV_INIT};
    wci_tar_reader *reader = NULL;
    wci_extract x;
    wci_fd root;
    int32_t rc = wci_tree_reopen(dir, &root, err);
    if (rc)
        return rc;
    rc = wci_extract_init(&x, root, limits, 0, &done.skipped, err);
    x.rules.keep_owner &= flags & WCI_APPLY_KEEP_OWNER;
    if (!rc && !(rc = wci_tar_reader_new(&input, &reader, err))) {
        wci_dirs_root(x.dirs)->flags |= WCI_DIR_WAS_THERE;
        if (!(rc = apply_entries(&x, reader, err)))
            rc = wci_extract_finish(&x, NULL, err);
        done.tar_bytes = wci_tar_reader_bytes(reader);
        done.entries = wci_tar_reader_entries(reader);
        done.content_bytes = x.content_bytes;
    }
    wci_tar_reader_free(reader);
    wci_extract_free(&x);
    if (!rc && stats) {
        *stats = done;
        return WC_OK;
    }
    wci_strv_free(&done.skipped);
    return rc;
}
