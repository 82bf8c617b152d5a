/* SPDX-License-Identifier: Apache-2.0 */
/* The content of one new layer: packed or copied, hashed, compressed, hashed again, written. */
#include "image/edit_layer.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "platform/tree.h"

#define CHUNK ((size_t)256 * 1024)

typedef struct press {
    wc_call *call;
    wci_hasher *plain, *packed;
    wci_encoder *encoder;
    wci_fd file;
    uint64_t size;
} press;

static int32_t take_packed(void *self, const void *data, size_t size, wc_error **err)
{
    press *p = self;
    wci_hasher_update(p->packed, data, size);
    p->size += size;
    return wci_fd_write(p->file, data, size, err);
}

static int32_t take_plain(void *self, const void *data, size_t size, wc_error **err)
{
    press *p = self;
    int32_t code = wci_call_check(p->call, err);
    if (code)
        return code;
    wci_hasher_update(p->plain, data, size);
    return wci_encoder_write(p->encoder, data, size, err);
}

/* ---- Whatever it comes from ------------------------------------------------------------------------- */

static int32_t open_press(press *p, wci_codec codec, const char *path, wc_error **err)
{
    const wci_sink to = {take_packed, p};
    int32_t code = wci_file_open(path, WCI_OPEN_WRITE | WCI_OPEN_CREATE | WCI_OPEN_EXCL, 0644, &p->file, err);
    if (!code)
        code = wci_hasher_new(WCI_SHA256, &p->plain, err);
    if (!code)
        code = wci_hasher_new(WCI_SHA256, &p->packed, err);
    return code ? code : wci_encoder_new(codec, &to, &p->encoder, err);
}

static void close_press(press *p)
{
    wci_encoder_free(p->encoder);
    wci_hasher_free(p->plain);
    wci_hasher_free(p->packed);
    wci_fd_close(p->file);
}

static int32_t finish_press(press *p, wci_new_layer *out, wc_error **err)
{
    int32_t code = wci_encoder_end(p->encoder, err);
    if (!code)
        code = wci_hasher_final(p->plain, &out->diff_id, err);
    if (!code)
        code = wci_hasher_final(p->packed, &out->digest, err);
    out->size = p->size;
    return code;
}

static int32_t write_part(wc_call *call, const wci_layer_fill *from, wci_codec codec, const char *part,
                          wci_new_layer *out, wc_error **err)
{
    press p = {.call = call, .file = WCI_FD_NONE};
    const wci_sink to = {take_plain, &p};
    int32_t code = open_press(&p, codec, part, err);
    if (!code)
        code = from->fill(from->self, call, &to, err);
    if (!code)
        code = finish_press(&p, out, err);
    close_press(&p);
    return code;
}

int32_t wci_edit_layer_fill(wc_call *call, const wci_layer_fill *from, wci_codec codec, const char *blobs,
                            wci_new_layer *out, wc_error **err)
{
    char *part = wci_path_join(blobs, "part"), *whole = NULL;
    int32_t code = part ? write_part(call, from, codec, part, out, err) : wci_err_nomem(err);
    if (!code)
        whole = wci_path_join(blobs, wci_digest_hex(&out->digest));
    if (!code)
        code = whole ? wci_file_rename(part, whole, err) : wci_err_nomem(err);
    wci_free(part);
    wci_free(whole);
    return code;
}

/* ---- A tar ---------------------------------------------------------------------------------------- */

static int32_t pass_decoded(wci_decoder *decoder, char *buffer, const wci_sink *to, wc_error **err)
{
    for (uint64_t total = 0;;) {
        size_t got = 0;
        int32_t code = wci_decoder_read(decoder, buffer, CHUNK, &got, err);
        if (code || !got)
            return code;
        total += got;
        if (total > wci_limits_default.max_bytes)
            return wci_err(err, WC_E_LIMIT, "it unpacks to over %llu bytes",
                           (unsigned long long)wci_limits_default.max_bytes);
        if ((code = to->write(to->self, buffer, got, err)))
            return code;
    }
}

int32_t wci_edit_layer_decode(wci_fd file, const wci_sink *to, wc_error **err)
{
    const wci_source source = {wci_source_read_file, &file};
    char head[16];
    size_t got = 0;
    wci_decoder *decoder = NULL;
    char *buffer = wci_malloc(CHUNK);
    int32_t code = buffer ? wci_fd_pread(file, head, sizeof head, 0, &got, err) : wci_err_nomem(err);
    if (!code && !got)
        code = wci_err(err, WC_E_FORMAT, "it is empty");
    const char *foreign = code ? NULL : wci_codec_foreign(head, got);
    if (foreign)
        code = wci_err(err, WC_E_UNSUPPORTED, "it is compressed by %s: decompress it first", foreign);
    if (!code)
        code = wci_decoder_new(wci_codec_guess(head, got), &source, &decoder, err);
    if (!code)
        code = pass_decoded(decoder, buffer, to, err);
    wci_decoder_free(decoder);
    wci_free(buffer);
    return code;
}

static int32_t fill_from_tar(const wci_edit_layer *layer, const wci_sink *to, wc_error **err)
{
    wci_fd fd = WCI_FD_NONE;
    wci_file_info info;
    int32_t code = wci_file_open(layer->path, WCI_OPEN_READ, 0, &fd, err);
    if (!code)
        code = wci_fd_info(fd, &info, err);
    if (!code && info.type != WCI_FILE_REGULAR)
        code = wci_err(err, WC_E_INVALID, "it is not a regular file");
    if (!code)
        code = wci_edit_layer_decode(fd, to, err);
    wci_fd_close(fd);
    return code;
}

/* ---- A directory ---------------------------------------------------------------------------------- */

static int is_stub(void *owner, const char *path, const wci_node_info *info)
{
    const wci_strv *skip = owner;
    int is_empty_file = info->type == WCI_NODE_FILE && !info->size;
    /* What lies in a directory that is a mount point was hidden from the container. */
    return (is_empty_file || info->type == WCI_NODE_DIR) && wci_strv_contains(skip, path);
}

static int32_t fill_from_directory(const wci_edit_layer *layer, int64_t latest_sec, const wci_sink *to, wc_error **err)
{
    const wci_pack_rules rules = {latest_sec, is_stub, (void *)(uintptr_t)&layer->skip};
    wci_fd dir = WCI_FD_NONE;
    int32_t code = wci_tree_open_root(layer->path, &dir, err);
    if (!code)
        code = wci_layer_pack(dir, &rules, to, err);
    wci_fd_close(dir);
    return code;
}

/* ---- Both ----------------------------------------------------------------------------------------- */

typedef struct given {
    const wci_edit_layer *layer;
    int64_t latest_sec;
} given;

static int32_t fill(void *self, wc_call *call, const wci_sink *to, wc_error **err)
{
    const given *g = self;
    (void)call;
    return g->layer->is_tar ? fill_from_tar(g->layer, to, err) : fill_from_directory(g->layer, g->latest_sec, to, err);
}

int32_t wci_edit_layer_write(wc_call *call, const wci_edit_layer *layer, wci_codec codec, int64_t latest_sec,
                             const char *blobs, wci_new_layer *out, wc_error **err)
{
    given g = {layer, latest_sec};
    const wci_layer_fill from = {fill, &g};
    int32_t code = wci_edit_layer_fill(call, &from, codec, blobs, out, err);
    return code ? wci_err_wrap(err, code, "layer from '%s'", layer->path) : WC_OK;
}
