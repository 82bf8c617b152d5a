/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/plain.h"

#include <string.h>

#include "core/error.h"
#include "layer/extract.h"
#include "layer/split.h"
#include "platform/host.h"

static const wci_attrs implied_attrs = {.mode = 0755};

enum {
    OWNER_MAY_ENTER = 0700,
    OWNER_MAY_CHANGE = 0600,
};

/* Nobody but root could read, change or remove it otherwise. */
static void keep_usable(const wci_extract *x, wci_tar_entry *entry)
{
    if (!x->rules.keep_owner)
        entry->attrs.mode |= entry->type == WCI_ENTRY_DIR ? OWNER_MAY_ENTER : OWNER_MAY_CHANGE;
}

static int32_t make_dir(wci_extract *x, const wci_tar_entry *entry, wc_error **err)
{
    wci_dir *dir = wci_dirs_root(x->dirs), *parent;
    char *name;
    int32_t rc = WC_OK;
    if (x->path.size) {
        rc = wci_extract_parent(x, &x->path, WCI_ENTER_MAKE, &parent, &name, err);
        if (!rc)
            rc = wci_extract_dir(x, parent, name, WCI_ENTER_MAKE, &dir, err);
    }
    return rc ? rc : wci_dirs_set_attrs(x->dirs, dir, &entry->attrs, err);
}

/* Of devices and pipes only the directory. */
static int32_t make_node(wci_extract *x, wci_tar_reader *reader, const wci_tar_entry *entry, wc_error **err)
{
    wci_dir *parent;
    char *name;
    int32_t rc = wci_extract_parent(x, &x->path, WCI_ENTER_MAKE, &parent, &name, err);
    int is_made = entry->type == WCI_ENTRY_FILE || entry->type == WCI_ENTRY_SYMLINK;
    return rc || !is_made ? rc : wci_extract_node(x, reader, entry, parent, name, err);
}

/* A link to what is below this layer cannot be made. */
static int32_t make_link(wci_extract *x, const wci_tar_entry *entry, wc_error **err)
{
    wci_dir *from, *parent;
    char *from_name, *name;
    int32_t rc = wci_path_clean(entry->link, x->limits, "its target", &x->target, err);
    if (!rc)
        rc = wci_extract_parent(x, &x->path, WCI_ENTER_MAKE, &parent, &name, err);
    if (!rc)
        rc = wci_extract_parent(x, &x->target, WCI_ENTER_FIND, &from, &from_name, err);
    if (!rc && (!from || wci_dirs_find(x->dirs, from, from_name, strlen(from_name))))
        return WC_OK;
    if (!rc)
        rc = wci_extract_link(x, from, from_name, parent, name, err);
    if (rc != WC_E_NOT_FOUND)
        return rc;
    wci_err_clear(err);
    return WC_OK;
}

static int32_t make_entry(wci_extract *x, wci_tar_reader *reader, wci_tar_entry entry, wc_error **err)
{
    int32_t rc = entry.type == WCI_ENTRY_IGNORED ? WC_OK : wci_extract_take_path(x, &entry, err);
    if (rc)
        return rc;
    keep_usable(x, &entry);
    switch (entry.type) {
    case WCI_ENTRY_IGNORED:
        return WC_OK;
    case WCI_ENTRY_DIR:
        return make_dir(x, &entry, err);
    case WCI_ENTRY_HARDLINK:
        return make_link(x, &entry, err);
    default:
        return make_node(x, reader, &entry, err);
    }
}

static int32_t make_entries(wci_extract *x, wci_tar_reader *reader, wc_error **err)
{
    for (;;) {
        const wci_tar_entry *entry;
        char shown[WCI_SHOWN_SIZE];
        int32_t rc = wci_tar_reader_next(reader, &entry, err);
        if (rc || !entry)
            return rc;
        rc = make_entry(x, reader, *entry, err);
        if (rc)
            return wci_err_wrap(err, rc, "layer entry '%s'", wci_path_shown(entry->name, shown));
    }
}

static int32_t make_tree(wci_extract *x, const wci_tar_input *input, const wci_digest *diff_id, wc_error **err)
{
    wci_tar_reader *reader = NULL;
    int32_t rc = wci_tar_reader_new(input, &reader, err);
    if (!rc)
        rc = make_entries(x, reader, err);
    if (!rc)
        rc = wci_layer_check_id(input->hasher, diff_id, WC_E_DIGEST, "the blob unpacks to something else", err);
    if (!rc)
        rc = wci_extract_finish(x, &implied_attrs, err);
    wci_tar_reader_free(reader);
    return rc;
}

static int32_t open_tree(wci_extract *x, const char *fs, const wci_limits *limits, wci_strv *skipped, wc_error **err)
{
    wci_fd root = WCI_FD_NONE;
    int32_t rc = wci_dir_make_new(fs, OWNER_MAY_ENTER, err);
    if (!rc)
        rc = wci_tree_open_root(fs, &root, err);
    if (!rc)
        rc = wci_extract_init(x, root, limits, 1, skipped, err);
    x->rules.keep_owner &= wci_host_is_root(); /* it is for this user to change */
    return rc;
}

int32_t wci_plain_make(const wci_source *compressed, wci_codec codec, const wci_digest *diff_id, const char *fs,
                       const wci_limits *limits, wci_strv *skipped, wc_error **err)
{
    wci_extract x = {.dirs = NULL};
    wci_decoder *decoder = NULL;
    wci_hasher *hasher = NULL;
    int32_t rc = wci_decoder_new(codec, compressed, &decoder, err);
    if (!rc)
        rc = wci_hasher_new(wci_digest_algo(diff_id), &hasher, err);
    if (!rc)
        rc = open_tree(&x, fs, limits, skipped, err);
    if (!rc) {
        const wci_tar_input input = {.source = {wci_decoder_read, decoder}, .limits = limits, .hasher = hasher};
        rc = make_tree(&x, &input, diff_id, err);
    }
    wci_extract_free(&x);
    wci_hasher_free(hasher);
    wci_decoder_free(decoder);
    return rc;
}
