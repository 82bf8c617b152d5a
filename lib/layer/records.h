/* SPDX-License-Identifier: Apache-2.0 */
/* What unpacking a layer saw that its tree alone does not tell. Written once beside the tree, read
 * by wci_layer_link(). The file is a line "wincontainer layer records 1\n" and then texts that end
 * in a zero byte: for each record its kind, one letter, with the first path behind it, and the
 * second path for kinds that have one. It ends with the record "E". */
#ifndef WCI_LAYER_RECORDS_H
#define WCI_LAYER_RECORDS_H

#include "layer/layer.h"

typedef enum wci_record_kind {
    WCI_RECORD_IMPLIED = 'I',   /* directory not named, takes its attributes from below */
    WCI_RECORD_GHOST = 'N',     /* the same, implied by nothing but whiteouts */
    WCI_RECORD_WHITEOUTS = 'W', /* directory that holds whiteouts */
    WCI_RECORD_OPAQUE = 'O',    /* the root is opaque, which overlayfs cannot say */
    WCI_RECORD_FOREIGN = 'L',   /* hard link; second: its target, which is below this layer */
    WCI_RECORD_LINK = 'H',      /* hard link; second: its target, in this layer when it was made */
    WCI_RECORD_LEFT_OUT = 'X',  /* device node that could not be made, or a hard link to it */
    /* What a tree held when it was made for somebody to change (listing.h): */
    WCI_RECORD_FILE = 'f',    /* second: mode, size, digest */
    WCI_RECORD_DIR = 'd',     /* second: mode */
    WCI_RECORD_SYMLINK = 's', /* second: its target */
    WCI_RECORD_END = 'E',
} wci_record_kind;

typedef struct wci_record {
    wci_record_kind kind;
    const char *path, *other; /* other: "" where the kind has none */
} wci_record;

typedef struct wci_records_writer {
    wci_fd file;
    wci_str pending;
} wci_records_writer;

int32_t wci_records_create(const char *path, wci_records_writer *out, wc_error **err);
int32_t wci_records_add(wci_records_writer *w, wci_record_kind kind, const char *path,
                        const char *other, wc_error **err);
/* Writes the end mark. */
int32_t wci_records_finish(wci_records_writer *w, wc_error **err);
void wci_records_close(wci_records_writer *w);

typedef struct wci_records {
    wc_buf *text;
    wci_record *items;
    size_t count;
} wci_records;

/* WC_E_CORRUPT when it is not whole. */
int32_t wci_records_read(const char *path, wci_records *out, wc_error **err);
/* The same from an open file; `what` is for errors. */
int32_t wci_records_read_file(wci_fd file, const char *what, wci_records *out, wc_error **err);
void wci_records_free(wci_records *records);

#endif
