/* SPDX-License-Identifier: Apache-2.0 */
/* The two tables of zstd:chunked, when they are all that is known of a layer: entries of the table of contents and
 * the lines of tar-split, with a zero byte between them. What they list is rebuilt from the frames of the sample; of
 * that, no byte is read behind what they say, nor outside of the frames. */
#include "support/chunked.h"

#include "layer/parts.h"
#include "platform/tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static chunked sample;
static wci_fd frames = WCI_FD_NONE;

static void make_frames(void)
{
    char path[] = "/tmp/fuzz-parts-XXXXXX";
    chunked_sample(&sample);
    chunked_flush(&sample);
    int fd = mkstemp(path);
    if (fd < 0 || write(fd, sample.stored.data, sample.stored.size) != (ssize_t)sample.stored.size ||
        wci_file_open(path, WCI_OPEN_READ, 0, &frames, NULL))
        abort();
    close(fd);
    unlink(path);
}

/* The end of a blob that begins with the sample's frames. */
static tarball make_tail(const char *contents, size_t contents_size, const char *split, size_t split_size, wci_digest *table)
{
    chunked c = {.shift = 0};
    tarball packed = TARBALL_INIT, packed_split = TARBALL_INIT, footer = TARBALL_INIT, text = TARBALL_INIT;
    tar_bytes(&c.stored, sample.stored.data, sample.stored.size);
    tar_bytes(&c.split, split, split_size);
    tar_zstd(&packed_split, c.split.data, c.split.size);
    wci_digest named = chunked_digest(packed_split.data, packed_split.size);
    chunked_text(&text, test_text("{\"version\":1,\"entries\":["));
    tar_bytes(&text, contents, contents_size);
    chunked_text(&text, test_text("],\"tarSplitDigest\":\"%s\"}", named.text));
    tar_zstd(&packed, text.data, text.size);
    *table = chunked_digest(packed.data, packed.size);
    chunked_table(&c, &footer, &text, &packed, 0);
    chunked_number(&footer, 1);
    chunked_table(&c, &footer, &c.split, &packed_split, 0);
    tar_bytes(&footer, "GNUlInUx", 8);
    chunked_skippable(&c.stored, footer.data, footer.size);
    tarball *parts[] = {&packed, &packed_split, &footer, &text, &c.split};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        tar_free(parts[i]);
    return c.stored;
}

static void rebuild(const wci_layer_parts *parts)
{
    char piece[512];
    size_t got = 1;
    wc_error *err = NULL;
    wci_rebuild *r = NULL;
    int32_t rc = wci_rebuild_new(parts, frames, NULL, &r, &err);
    for (uint64_t all = 0; !rc && got && all < 1 << 20; all += got)
        rc = wci_rebuild_read(r, piece, sizeof piece, &got, &err);
    if ((rc == WC_OK) != (err == NULL))
        abort();
    wc_error_unref(err);
    wci_rebuild_free(r);
}

static void check(const wci_layer_parts *parts)
{
    uint64_t end = 1;
    for (size_t i = 0; i < parts->count; i++) {
        const wci_part_content *c = &parts->items[i];
        if (c->offset < end || c->end <= c->offset || c->end > parts->tables_at || !c->size)
            abort();
        end = c->end;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const wc_call call = {.cancel = NULL};
    const uint8_t *zero = size ? memchr(data, 0, size) : NULL;
    wci_digest table;
    wci_layer_parts parts = {.count = 0};
    wc_error *err = NULL;
    if (!zero)
        return 0;
    if (frames == WCI_FD_NONE)
        make_frames();
    size_t first = (size_t)(zero - data), at = sample.stored.size;
    tarball blob = make_tail((const char *)data, first, (const char *)zero + 1, size - first - 1, &table);
    int32_t rc = wci_layer_parts_read(&call, blob.data + at, blob.size - at, at, table.text, &parts, &err);
    if ((rc == WC_OK) != (err == NULL))
        abort();
    if (!rc) {
        check(&parts);
        rebuild(&parts);
    }
    wc_error_unref(err);
    wci_layer_parts_free(&parts);
    tar_free(&blob);
    return 0;
}
