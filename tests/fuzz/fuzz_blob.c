/* SPDX-License-Identifier: Apache-2.0 */
/* A layer as a registry stores it: the first byte chooses the codec, the rest is the blob, with whatever stands in its
 * skippable frames and its tail. What is taken comes back byte for byte from its tree and what was kept beside it. */
#include <stdlib.h>
#include <string.h>

#include "support/tarball.h"

#include "layer/codec.h"
#include "layer/split.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MOST ((size_t)1 << 20)

static char *base;
static wci_limits limits;

static void must(int condition)
{
    if (!condition)
        abort();
}

static void remove_base(void)
{
    wci_dir_remove_all(base, NULL);
    free(base);
}

/* The tar in the blob, as far as it goes: its digest must be right, or nothing behind the end would be reached. */
static void decode(const char *data, size_t size, wci_codec codec, tarball *out)
{
    memory_source m = {data, size, 0, 0};
    const wci_source source = {memory_read, &m};
    static char piece[16384];
    wci_decoder *decoder = NULL;
    size_t got = 0;
    int32_t code = wci_decoder_new(codec, &source, &decoder, NULL);
    while (!code && out->size < MOST && !(code = wci_decoder_read(decoder, piece, sizeof piece, &got, NULL)) && got)
        tar_bytes(out, piece, got);
    wci_decoder_free(decoder);
}

static int32_t take(void *self, const void *data, size_t size, wc_error **err)
{
    (void)err;
    tar_bytes(self, data, size);
    return WC_OK;
}

static void split_and_join(const char *data, size_t size, wci_codec codec, const wci_digest *diff_id, const tarball *tar)
{
    char *fs = test_text("%s/l/fs", base), *kept = test_text("%s/l/split", base);
    memory_source m = {data, size, 0, 0};
    const wci_source source = {memory_read, &m};
    tarball back = TARBALL_INIT;
    const wci_sink to = {take, &back};
    uint64_t kept_size = 0;
    if (!wci_layer_split(&source, codec, diff_id, fs, kept, &kept_size, NULL)) {
        must(!wci_layer_join(fs, kept, diff_id, &to, NULL));
        must(back.size == tar->size && (!back.size || !memcmp(back.data, tar->data, back.size)));
    }
    tar_free(&back);
    free(fs);
    free(kept);
}

static void unpack(const char *data, size_t size, wci_codec codec, const tarball *tar)
{
    wci_digest diff_id;
    wci_unpack_stats stats = {0};
    wc_error *err = NULL;
    char *to = test_text("%s/l", base);
    must(!wci_dir_make_new(to, 0700, NULL));
    must(!wci_digest_of(WCI_SHA256, tar->size ? tar->data : "", tar->size, &diff_id, NULL));
    int32_t code = unpack_bytes(data, size, codec, &diff_id, to, &limits, &stats, &err);
    must((code == WC_OK) == (err == NULL));
    wc_error_unref(err);
    if (!code)
        split_and_join(data, size, codec, &diff_id, tar);
    wci_strv_free(&stats.skipped);
    free(to);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const wci_codec codecs[] = {WCI_CODEC_NONE, WCI_CODEC_GZIP, WCI_CODEC_ZSTD};
    tarball tar = TARBALL_INIT;
    if (!base) {
        base = test_make_dir();
        atexit(remove_base);
    }
    if (!size)
        return 0;
    limits = wci_limits_default;
    limits.max_bytes = MOST;
    limits.max_entries = 200;
    wci_codec codec = codecs[data[0] % 3];
    decode((const char *)data + 1, size - 1, codec, &tar);
    unpack((const char *)data + 1, size - 1, codec, &tar);
    tar_free(&tar);
    wci_dir_remove_all(base, NULL);
    wci_dir_make(base, 0700, NULL);
    return 0;
}
