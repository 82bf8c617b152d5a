/* SPDX-License-Identifier: Apache-2.0 */
#include "host/fork_try.h"

static const char *const a_name[] = {IMAGE};

TRY(wc_image_pull, wc_image, wc_image_pull(tried_context, "docker://127.0.0.1:1/x", tried->transfer, NULL, &out, err))
TRY_PLAIN(wc_image_push, wc_image_push(tried_context, IMAGE, "127.0.0.1:1/x", tried->transfer, NULL, err))
TRY(wc_image_load, wc_list, wc_image_load(tried_context, "/no/such/file", NULL, NULL, &out, err))
TRY_PLAIN(wc_image_save, wc_image_save(tried_context, a_name, 1, "oci-archive:/no/such/dir/x", NULL, NULL, err))
TRY_PLAIN(wc_image_copy, wc_image_copy(tried_context, "wc-store:" IMAGE, "oci:/no/such/dir/x:y", NULL, NULL, err))
TRY_PLAIN(wc_image_sign, wc_image_sign(tried_context, "127.0.0.1:1/x", 0, tried->transfer, NULL, err))
TRY(wc_image_verify, wc_buf, wc_image_verify(tried_context, "127.0.0.1:1/x", tried->transfer, NULL, &out, err))
TRY(wc_image_open, wc_image, wc_image_open(tried_context, IMAGE, &out, err))
TRY(wc_image_list, wc_list, wc_image_list(tried_context, &out, err))
TRY_PLAIN(wc_image_tag, wc_image_tag(tried->image, "other", err))
TRY_PLAIN(wc_image_drop_blobs, wc_image_drop_blobs(tried->image, NULL, NULL, err))
TRY(wc_image_remove, wc_list, wc_image_remove(tried_context, IMAGE, WC_REMOVE_FORCE, NULL, &out, err))
TRY(wc_image_manifest, wc_buf, wc_image_manifest(tried->image, &out, err))
TRY(wc_image_index, wc_buf, wc_image_index(tried->image, &out, err))
TRY(wc_image_config, wc_buf, wc_image_config(tried->image, &out, err))
TRY(wc_image_inspect, wc_buf, wc_image_inspect(tried->image, &out, err))
TRY_PLAIN(wc_image_export, wc_image_export(tried->image, "/no/such/dir/file", NULL, err))
TRY_PLAIN(wc_image_export_fd, wc_image_export_fd(tried->image, 1, NULL, err))
TRY_PLAIN(wc_image_unpack, wc_image_unpack(tried->image, "/no/such/dir/x", NULL, NULL, err))
TRY(wc_image_pack, wc_image, wc_image_pack(tried_context, "/no/such/dir", NULL, NULL, NULL, &out, NULL, err))
TRY_PLAIN(wc_image_mount, wc_image_mount(tried->image, "/", err))
TRY_PLAIN(wc_image_unmount, wc_image_unmount(tried_context, "/", 0, err))
TRY(wc_image_mounts, wc_buf, wc_image_mounts(tried_context, &out, err))
TRY(wc_image_index_create, wc_image,
    wc_image_index_create(tried_context, "many", a_name, 1, 0, NULL, NULL, &out, err))
TRY(wc_image_diff, wc_buf, wc_image_diff(tried->image, tried->image, NULL, &out, err))
TRY(wc_image_edit_new, wc_image_edit, wc_image_edit_new(tried_context, NULL, &out, err))
TRY(wc_image_edit_new_from_container, wc_image_edit,
    wc_image_edit_new_from_container(tried_context, tried->container, &out, err))
TRY(wc_image_edit_apply, wc_image, wc_image_edit_apply(tried->edit, "edited", NULL, &out, err))

const attempt fork_try_image[] = {
    ENTRY(wc_image_pull),
    ENTRY(wc_image_push),
    ENTRY(wc_image_load),
    ENTRY(wc_image_save),
    ENTRY(wc_image_copy),
    ENTRY(wc_image_sign),
    ENTRY(wc_image_verify),
    ENTRY(wc_image_open),
    ENTRY(wc_image_list),
    ENTRY(wc_image_tag),
    ENTRY(wc_image_drop_blobs),
    ENTRY(wc_image_remove),
    ENTRY(wc_image_manifest), ENTRY(wc_image_index),
    ENTRY(wc_image_config),
    ENTRY(wc_image_inspect),
    ENTRY(wc_image_export),
    ENTRY(wc_image_export_fd),
    ENTRY(wc_image_unpack),
    ENTRY(wc_image_pack),
    ENTRY(wc_image_mount),
    ENTRY(wc_image_unmount),
    ENTRY(wc_image_mounts),
    ENTRY(wc_image_index_create),
    ENTRY(wc_image_diff),
    ENTRY(wc_image_edit_new),
    ENTRY(wc_image_edit_new_from_container),
    ENTRY(wc_image_edit_apply),
    {NULL, NULL, 0},
};
