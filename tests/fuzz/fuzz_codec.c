/* SPDX-License-Identifier: Apache-2.0 */
/* Compressed streams of any bytes. The first byte chooses the codec and the size of the pieces. Both
 * ways to inflate must give the same bytes and the same verdict. */
#include "support/tarball.h"

#include "layer/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_OUTPUT = 1 << 20 };

static int32_t decode(const wci_codec_ops *ops, const uint8_t *data, size_t size, size_t piece,
                      char *out, size_t *total)
{
    memory_source m = {(const char *)data, size, 0, piece};
    wci_source source = {memory_read, &m};
    wci_decoder *decoder;
    size_t got = 1;
    if (wci_decoder_new_with(ops, &source, &decoder, NULL))
        abort();
    int32_t rc = WC_OK;
    for (*total = 0; !rc && got && *total < MAX_OUTPUT; *total += rc ? 0 : got)
        rc = wci_decoder_read(decoder, out + *total, MAX_OUTPUT - *total, &got, NULL);
    wci_decoder_free(decoder);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char a[MAX_OUTPUT], b[MAX_OUTPUT];
    size_t a_size, b_size;
    if (!size)
        return 0;
    size_t piece = data[0] & 0x7e;
    if (data[0] & 1) {
        decode(&wci_codec_zstd, data + 1, size - 1, piece, a, &a_size);
        return 0;
    }
    int32_t x = decode(&wci_codec_zlib, data + 1, size - 1, piece, a, &a_size);
    if (!wci_codec_isal)
        return 0;
    int32_t y = decode(wci_codec_isal, data + 1, size - 1, piece, b, &b_size);
    if (x != y || (x == WC_OK && (a_size != b_size || memcmp(a, b, a_size) != 0)))
        abort();
    return 0;
}
