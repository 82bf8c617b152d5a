/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/attrs.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "layer/path.h"
#include "platform/owners.h"

enum { MAX_SKIPPED_LINES = 1000 };

void wci_attr_rules_init(wci_attr_rules *rules, wci_strv *skipped)
{
    *rules = (wci_attr_rules){
        .keep_owner = wci_owners_kept(),
        .is_root = wci_owners_are_all(),
        .skipped = skipped,
    };
    wci_owners_own(&rules->uid, &rules->gid);
}

int wci_xattr_is_host_own(const char *key)
{
    return wci_starts_with(key, "trusted.overlay.") || wci_starts_with(key, "user.overlay.") ||
           wci_starts_with(key, "user.fuseoverlayfs.") || wci_streq(key, "security.selinux") || wci_streq(key, "system.nfs4_acl");
}

int32_t wci_attrs_note_skipped(const wci_attr_rules *rules, const char *path, const char *what, wc_error **err)
{
    char shown[WCI_SHOWN_SIZE];
    if (!rules->skipped || rules->skipped->count > MAX_SKIPPED_LINES)
        return WC_OK;
    char *line = rules->skipped->count == MAX_SKIPPED_LINES
                     ? wci_strdup("more was left out, not listed")
                     : wci_asprintf("%s: %s", wci_path_shown(path, shown), what);
    return wci_strv_add_take(rules->skipped, line) ? wci_err_nomem(err) : WC_OK;
}

static int must_chown(const wci_attr_rules *rules, const wci_attrs *attrs)
{
    return rules->keep_owner &&
           (rules->always_chown || attrs->uid != rules->uid || attrs->gid != rules->gid);
}

/* What a file system or a missing right refuses is left out with a note. */
static int32_t settle_xattr(const wci_attr_rules *rules, int32_t rc, const wci_xattr *x,
                            const char *path, wc_error **err)
{
    char shown[WCI_SHOWN_SIZE], line[WCI_SHOWN_SIZE + 80];
    int refused = rc == WC_E_UNSUPPORTED || (rc == WC_E_PERMISSION && !rules->is_root);
    if (!rc)
        return WC_OK;
    wci_path_shown(x->key, shown);
    if (!refused)
        return wci_err_wrap(err, rc, "extended attribute '%s'", shown);
    wci_err_clear(err);
    strcpy(line, "extended attribute not possible here: ");
    strcat(line, shown);
    return wci_attrs_note_skipped(rules, path, line, err);
}

static int32_t apply_xattrs(const wci_attr_rules *rules, wci_fd dir, const char *name, int is_file,
                            const wci_attrs *attrs, const char *path, wc_error **err)
{
    for (size_t i = 0; i < attrs->xattr_count; i++) {
        const wci_xattr *x = &attrs->xattrs[i];
        if (wci_xattr_is_host_own(x->key))
            continue;
        int32_t rc = is_file ? wci_tree_file_set_xattr(dir, x->key, x->value, x->size, err)
                             : wci_tree_set_xattr(dir, name, x->key, x->value, x->size, err);
        if ((rc = settle_xattr(rules, rc, x, path, err)))
            return rc;
    }
    return WC_OK;
}

int32_t wci_attrs_apply(const wci_attr_rules *rules, wci_fd dir, const char *name,
                        wci_node_type type, const wci_attrs *attrs, const char *path,
                        wc_error **err)
{
    int32_t rc = WC_OK;
    if (must_chown(rules, attrs))
        rc = wci_tree_chown(dir, name, attrs->uid, attrs->gid, err);
    if (!rc)
        rc = apply_xattrs(rules, dir, name, 0, attrs, path, err);
    if (!rc && type != WCI_NODE_SYMLINK)
        rc = wci_tree_chmod(dir, name, attrs->mode, err);
    if (!rc)
        rc = wci_tree_set_mtime(dir, name, attrs->mtime_sec, attrs->mtime_nsec, err);
    return rc;
}

int32_t wci_attrs_apply_file(const wci_attr_rules *rules, wci_fd file, const wci_attrs *attrs,
                             const char *path, wc_error **err)
{
    uint32_t uid = WCI_TREE_KEEP_ID, gid = WCI_TREE_KEEP_ID;
    if (must_chown(rules, attrs)) {
        uid = attrs->uid;
        gid = attrs->gid;
    }
    if (attrs->xattr_count) {
        int32_t rc = uid == WCI_TREE_KEEP_ID ? WC_OK : wci_tree_chown(file, NULL, uid, gid, err);
        if (!rc)
            rc = apply_xattrs(rules, file, NULL, 1, attrs, path, err);
        if (rc)
            return rc;
        uid = gid = WCI_TREE_KEEP_ID;
    }
    return wci_tree_finish_file(file, uid, gid, attrs->mode, attrs->mtime_sec, attrs->mtime_nsec,
                                err);
}

/* ---- Reading ---------------------------------------------------------------------------------- */

static int32_t read_xattrs(wci_fd dir, const char *name, wci_attrs_read *out, wc_error **err)
{
    int32_t rc = wci_tree_list_xattrs(dir, name, &out->keys, err);
    if (rc == WC_E_UNSUPPORTED) {
        wci_err_clear(err);
        return WC_OK;
    }
    if (rc || !out->keys.count)
        return rc;
    out->values = wci_calloc(out->keys.count, sizeof *out->values);
    out->xattrs = wci_calloc(out->keys.count, sizeof *out->xattrs);
    if (!out->values || !out->xattrs)
        return wci_err_nomem(err);
    size_t n = 0;
    for (size_t i = 0; i < out->keys.count; i++) {
        const char *key = out->keys.items[i];
        if (wci_xattr_is_host_own(key))
            continue;
        if ((rc = wci_tree_get_xattr(dir, name, key, &out->values[n], err)))
            return rc;
        out->xattrs[n] = (wci_xattr){key, wc_buf_data(out->values[n]), wc_buf_size(out->values[n])};
        out->attrs.xattr_count = ++n;
    }
    return WC_OK;
}

int32_t wci_attrs_read_of(wci_fd dir, const char *name, wci_attrs_read *out, wc_error **err)
{
    memset(out, 0, sizeof *out);
    int32_t rc = wci_tree_stat(dir, name, &out->info, err);
    if (!rc)
        rc = read_xattrs(dir, name, out, err);
    if (rc) {
        wci_attrs_read_free(out);
        return rc;
    }
    out->attrs.mode = out->info.mode;
    out->attrs.uid = out->info.uid;
    out->attrs.gid = out->info.gid;
    out->attrs.mtime_sec = out->info.mtime_sec;
    out->attrs.mtime_nsec = out->info.mtime_nsec;
    out->attrs.xattrs = out->xattrs;
    return WC_OK;
}

void wci_attrs_read_free(wci_attrs_read *read)
{
    for (size_t i = 0; read->values && i < read->keys.count; i++)
        wc_buf_unref(read->values[i]);
    wci_free(read->values);
    wci_free(read->xattrs);
    wci_strv_free(&read->keys);
    memset(read, 0, sizeof *read);
}

static int has_xattr(const wci_attrs *attrs, const wci_xattr *wanted)
{
    for (size_t i = 0; i < attrs->xattr_count; i++) {
        const wci_xattr *x = &attrs->xattrs[i];
        if (strcmp(x->key, wanted->key) == 0)
            return x->size == wanted->size && memcmp(x->value, wanted->value, x->size) == 0;
    }
    return 0;
}

int wci_attrs_equal(const wci_attrs_read *a, const wci_attrs_read *b)
{
    const wci_attrs *x = &a->attrs, *y = &b->attrs;
    if (x->mode != y->mode || x->uid != y->uid || x->gid != y->gid ||
        x->mtime_sec != y->mtime_sec || x->mtime_nsec != y->mtime_nsec ||
        x->xattr_count != y->xattr_count)
        return 0;
    for (size_t i = 0; i < x->xattr_count; i++)
        if (!has_xattr(y, &x->xattrs[i]))
            return 0;
    return 1;
}
