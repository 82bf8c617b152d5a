/* SPDX-License-Identifier: Apache-2.0 */
/* Owner, extended attributes, mode and time of what was made, in the order that keeps them all:
 * chown clears setuid bits and capabilities, chmod of a set of bits must come last. */
#ifndef WCI_LAYER_ATTRS_H
#define WCI_LAYER_ATTRS_H

#include "layer/tar_header.h"
#include "platform/tree.h"

typedef struct wci_attr_rules {
    int keep_owner;    /* else files belong to the caller */
    int is_root;       /* nothing may be refused; else what is refused is noted and left out */
    int always_chown;  /* new files may get another owner or group than the next two */
    uint32_t uid, gid; /* whom new files belong to */
    wci_strv *skipped; /* one line for what was left out; may be NULL */
} wci_attr_rules;

/* Of this process, for files made in directories of ours. */
void wci_attr_rules_init(wci_attr_rules *rules, wci_strv *skipped);
/* Adds the line "path: what" to what was left out. */
int32_t wci_attrs_note_skipped(const wci_attr_rules *rules, const char *path, const char *what, wc_error **err);
/* `path` is for errors. */
int32_t wci_attrs_apply(const wci_attr_rules *rules, wci_fd dir, const char *name,
                        wci_node_type type, const wci_attrs *attrs, const char *path,
                        wc_error **err);
/* For a new file that is still open. */
int32_t wci_attrs_apply_file(const wci_attr_rules *rules, wci_fd file, const wci_attrs *attrs,
                             const char *path, wc_error **err);

/* Attributes as they are on disk, overlay marks left out. */
typedef struct wci_attrs_read {
    wci_attrs attrs;
    wci_node_info info;
    wc_buf **values;
    wci_strv keys;
    wci_xattr *xattrs;
} wci_attrs_read;
int32_t wci_attrs_read_of(wci_fd dir, const char *name, wci_attrs_read *out, wc_error **err);
void wci_attrs_read_free(wci_attrs_read *read);
int wci_attrs_equal(const wci_attrs_read *a, const wci_attrs_read *b);
/* 1 for attributes that never cross: overlay marks, and labels that the host's policy gives. */
int wci_xattr_is_host_own(const char *key);

#endif
