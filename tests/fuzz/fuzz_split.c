/* SPDX-License-Identifier: Apache-2.0 */
/* What was kept beside a tree, as any bytes: either the layer comes of it, or an error. */
#include <stdlib.h>
#include <string.h>

#include "support/tarball.h"

#include "layer/split.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *base, *fs, *record;
static tarball layer;
static wci_digest diff_id;

static void must(int condition)
{
    if (!condition)
        abort();
}

static void remove_base(void)
{
    wci_dir_remove_all(base, NULL);
    tar_free(&layer);
    free(base);
    free(fs);
    free(record);
}

/* The layer of the corpus: two files below a directory. */
static void prepare(void)
{
    base = test_make_dir();
    fs = test_text("%s/fs", base);
    record = test_text("%s/record", base);
    tar_dir(&layer, "d/");
    tar_file(&layer, "d/f", "some text, some text, some text");
    tar_file(&layer, "last", "");
    tar_end(&layer);
    must(!wci_digest_of(WCI_SHA256, layer.data, layer.size, &diff_id, NULL));
    must(!unpack_bytes(layer.data, layer.size, WCI_CODEC_NONE, &diff_id, base, NULL, NULL, NULL));
    atexit(remove_base);
}

static int32_t take(void *self, const void *data, size_t size, wc_error **err)
{
    (void)err;
    must(((tarball *)self)->size <= (size_t)64 << 20);
    tar_bytes(self, data, size);
    return WC_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tarball back = TARBALL_INIT;
    const wci_sink to = {take, &back};
    wc_error *err = NULL;
    if (!base)
        prepare();
    test_write_file(record, data, size);
    if (wci_layer_join(fs, record, &diff_id, &to, &err))
        must(err != NULL);
    else
        must(back.size == layer.size && !memcmp(back.data, layer.data, back.size));
    wc_error_unref(err);
    tar_free(&back);
    return 0;
}
