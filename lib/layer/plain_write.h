/* SPDX-License-Identifier: Apache-2.0 */
/* Entries of a changed layer, for plain_pack.c. */
#ifndef WCI_LAYER_PLAIN_WRITE_H
#define WCI_LAYER_PLAIN_WRITE_H

#include "layer/plain.h"
#include "layer/tar_writer.h"

/* The header blocks of one entry, with those before its own. */
typedef struct wci_plain_header {
    unsigned char *data;
    size_t size;
} wci_plain_header;

typedef struct wci_plain_writer wci_plain_writer;
int32_t wci_plain_writer_new(wc_call *call, const wci_plain_layer *layer, const wci_sink *to, wci_plain_writer **out,
                             wc_error **err);
void wci_plain_writer_free(wci_plain_writer *w); /* NULL accepted */

int32_t wci_plain_write_raw(wci_plain_writer *w, const void *data, size_t size, wc_error **err);
/* Of an entry that does not go out as it was: what its headers say for all that follow. */
int32_t wci_plain_write_globals(wci_plain_writer *w, const wci_plain_header *header, wc_error **err);
/* In place. */
int32_t wci_plain_patch_mode(const wci_plain_header *header, uint32_t mode, wc_error **err);
/* An entry that goes out as it was: others may be hard links to it. */
int32_t wci_plain_note_links(wci_plain_writer *w, const wci_tar_entry *entry, const wci_item *item, wc_error **err);
/* Another content or target. */
int32_t wci_plain_write_changed(wci_plain_writer *w, const wci_tar_entry *entry, const wci_item *item,
                                const wci_plain_header *header, wc_error **err);
/* A hard link whose target has become something else: a file with the headers of that, as far as they are known. */
int32_t wci_plain_write_parted(wci_plain_writer *w, const wci_tar_entry *entry, const wci_item *item,
                               const wci_item *target, wc_error **err);
/* New alternate streams of the file or directory. */
int32_t wci_plain_write_streams(wci_plain_writer *w, const char *path, wc_error **err);
/* What is new and not written yet. */
int32_t wci_plain_write_added(wci_plain_writer *w, wc_error **err);

#endif
