/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of zstd:chunked as any text, compared with one layer. The first byte chooses the table. What is
 * accepted has been read to its end, in pieces of any size. */
#include "support/chunked.h"

#include "layer/chunked.h"
#include "layer/tar_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint64_t content_frames = 1;

/* What the reader notes of the sample's tar. */
static wci_ledger *make_ledger(void)
{
    static chunked sample;
    wci_ledger *ledger = NULL;
    wci_tar_reader *reader = NULL;
    const wci_tar_entry *entry = NULL;
    if (!sample.tar.size) {
        chunked_sample(&sample);
        tar_end(&sample.tar);
    }
    memory_source m = {sample.tar.data, sample.tar.size, 0, 0};
    if (wci_ledger_new(&content_frames, &ledger, NULL))
        abort();
    const wci_tar_input input = {.source = {memory_read, &m}, .limits = &wci_limits_default, .ledger = ledger};
    if (wci_tar_reader_new(&input, &reader, NULL))
        abort();
    do {
        if (wci_tar_reader_next(reader, &entry, NULL))
            abort();
    } while (entry);
    wci_tar_reader_free(reader);
    if (wci_ledger_end(ledger, NULL))
        abort();
    return ledger;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wc_error *err = NULL;
    wci_digest split = {{0}};
    if (!size)
        return 0;
    memory_source m = {(const char *)data + 1, size - 1, 0, data[0] & 0x7e};
    const wci_source text = {memory_read, &m};
    wci_ledger *ledger = make_ledger();
    int32_t rc = data[0] & 1 ? wci_chunked_read_split(&text, wci_ledger_skeleton(ledger), &err)
                             : wci_chunked_read_contents(&text, ledger, NULL, &split, &err);
    if ((rc == WC_OK) != (err == NULL) || (rc == WC_OK && m.at != m.size))
        abort();
    wc_error_unref(err);
    wci_ledger_free(ledger);
    return 0;
}
