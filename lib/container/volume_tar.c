/* SPDX-License-Identifier: Apache-2.0 */
/* A volume as a tar, and back. */
#include <string.h>

#include "container/archive_input.h"
#include "container/volume.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/output.h"
#include "platform/tree.h"

static int is_word(const char *list, const char *word)
{
    size_t size = strlen(word);
    for (const char *p = list; (p = strstr(p, word)); p += size)
        if ((p == list || p[-1] == ',') && (!p[size] || p[size] == ','))
            return 1;
    return 0;
}

/* Where its content lies: in the store, or where its options bind it from. Owned. */
static int32_t place_of(const wc_volume *volume, char **out, wc_error **err)
{
    wci_volume_record record;
    int32_t rc = wci_volume_find(volume->engine->store, volume->name, &record, err);
    if (rc)
        return rc;
    char *type = wci_volume_option(&record, "type"), *device = wci_volume_option(&record, "device");
    char *flags = wci_volume_option(&record, "o");
    int binds = device && flags && (is_word(flags, "bind") || is_word(flags, "rbind"));
    if (type && !binds)
        rc = wci_err(err, WC_E_UNSUPPORTED,
                     "volume '%s': a '%s' is mounted for it, by each container; export or import what a container sees "
                     "there instead",
                     volume->name, type);
    else if (!(*out = wci_strdup(type ? device : volume->path)))
        rc = wci_err_nomem(err);
    wci_free(type);
    wci_free(device);
    wci_free(flags);
    wci_volume_record_clear(&record);
    return rc;
}

static int32_t open_place(const wc_volume *volume, wci_fd *out, wc_error **err)
{
    char *place = NULL;
    int32_t rc = place_of(volume, &place, err);
    if (!rc)
        rc = wci_tree_open_root(place, out, err);
    wci_free(place);
    return rc;
}

int32_t wci_vol_export(wc_call *call, const wc_volume *volume, wci_fd fd, wc_error **err)
{
    wci_output out = {call, fd};
    const wci_sink to = {wci_output_take, &out};
    wci_fd dir = WCI_FD_NONE;
    int32_t rc = open_place(volume, &dir, err);
    if (!rc)
        rc = wci_tar_pack_sparse(dir, &to, NULL, err);
    wci_fd_close(dir);
    return rc ? wci_err_wrap(err, rc, "volume '%s': cannot be exported", volume->name) : WC_OK;
}

static int32_t apply(wc_call *call, wci_fd dir, wci_fd fd, wc_error **err)
{
    wci_archive_input in = {.call = call, .fd = fd, .taker = WCI_FD_NONE};
    wci_unpack_stats stats = {0};
    wci_decoder *decoder = NULL;
    int32_t rc = wci_archive_input_open(&in, &decoder, err);
    const wci_source from = {wci_decoder_read, decoder};
    if (!rc)
        rc = wci_tar_apply(&from, dir, WCI_APPLY_KEEP_OWNER, &wci_limits_default, NULL, &stats, err);
    for (size_t i = 0; i < stats.skipped.count; i++)
        wci_log_printf(call->log, WC_LOG_WARN, "volume import: %s", stats.skipped.items[i]);
    wci_strv_free(&stats.skipped);
    wci_decoder_free(decoder);
    return rc;
}

/* The lock keeps it from being removed, and from being filled by a container's first start, meanwhile. */
int32_t wci_vol_import(wc_call *call, const wc_volume *volume, wci_fd fd, wc_error **err)
{
    wci_lock *lock = NULL;
    wci_fd dir = WCI_FD_NONE;
    int32_t rc = wci_volume_lock(call, volume->engine->store, volume->name, &lock, err);
    if (rc)
        return rc;
    rc = open_place(volume, &dir, err);
    if (!rc)
        rc = apply(call, dir, fd, err);
    wci_fd_close(dir);
    wci_lock_release_remove(lock);
    return rc ? wci_err_wrap(err, rc, "volume '%s': cannot be imported", volume->name) : WC_OK;
}
