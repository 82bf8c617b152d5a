/* SPDX-License-Identifier: Apache-2.0 */
/* Which content which file of a tree has: kept beside the tree of a layer that came with a table of contents
 * (zstd:chunked), so that layers that come later need not bring the same content again. It is only where to look:
 * whoever finds a file there hashes it before he believes it.
 *
 * The file is a line "wincontainer layer contents 1\n" and then for each content its SHA-256, 32 bytes, and the
 * file's name with a zero byte behind it. */
#ifndef WCI_LAYER_CONTENTS_H
#define WCI_LAYER_CONTENTS_H

#include "layer/layer.h"

/* The file's name, beside `fs`. */
#define WCI_CONTENTS_FILE "contents"

typedef struct wci_content_key {
    unsigned char bytes[32];
} wci_content_key;

/* 0: not a SHA-256. */
int wci_content_key_of(const wci_digest *digest, wci_content_key *out);

typedef struct wci_contents_writer {
    const char *path; /* lent */
    wci_fd file;      /* made when there is something to write */
    wci_str pending;
} wci_contents_writer;

#define WCI_CONTENTS_WRITER(path) {(path), WCI_FD_NONE, WCI_STR_INIT}

int32_t wci_contents_add(wci_contents_writer *w, const wci_content_key *key, const char *name, wc_error **err);
int32_t wci_contents_finish(wci_contents_writer *w, wc_error **err);
void wci_contents_close(wci_contents_writer *w);

typedef struct wci_contents_taker {
    /* The name is lent. */
    int32_t (*take)(void *self, const wci_content_key *key, const char *name, wc_error **err);
    void *self;
} wci_contents_taker;

/* Gives every record. WC_E_NOT_FOUND; WC_E_CORRUPT when it is not whole, by then some were given. */
int32_t wci_contents_read(const char *path, const wci_contents_taker *taker, wc_error **err);

#endif
