/* SPDX-License-Identifier: Apache-2.0 */
/* A layer's tar without the content that its unpacked tree has anyway: what is needed to write the same
 * tar again, byte for byte. */
#ifndef WCI_LAYER_SPLIT_H
#define WCI_LAYER_SPLIT_H

#include "layer/layer.h"

/* How the file begins; split.c tells how it goes on. */
#define WCI_SPLIT_HEADER "wincontainer layer split 1\n"

/* Reads the layer once more and compares its payload with the tree in `fs`; writes the rest to the new
 * file `path`. *kept is the size of that file. WC_E_DIGEST when it is not the layer `diff_id`. */
int32_t wci_layer_split(const wci_source *compressed, wci_codec codec, const wci_digest *diff_id,
                        const char *fs, const char *path, uint64_t *kept, wc_error **err);
/* Writes the tar. WC_E_CORRUPT when tree and file do not give the layer `diff_id`; what came by then is of
 * no use. */
int32_t wci_layer_join(const char *fs, const char *path, const wci_digest *diff_id, const wci_sink *to,
                       wc_error **err);

/* What a tar is joined from. */
typedef struct wci_join_input {
    wci_fd root;      /* of the tree; lent */
    wci_fd records;   /* what wci_layer_split() wrote; lent, its position stays */
    const char *what; /* names the records in errors; lent */
    /* 1 for a file that may be another one by now: what it has not is given as zeros. NULL: none may. */
    int (*is_lax)(void *owner, const char *name);
    void *owner;
} wci_join_input;

typedef struct wci_joiner wci_joiner;
int32_t wci_joiner_new(const wci_join_input *input, wci_joiner **out, wc_error **err);
/* The tar, piece by piece: a wci_source. WC_E_CORRUPT. */
int32_t wci_joiner_read(void *joiner, void *data, size_t size, size_t *got, wc_error **err);
void wci_joiner_free(wci_joiner *joiner); /* NULL accepted */

/* As wci_layer_join(), with what it is joined from open already. */
int32_t wci_layer_join_files(const wci_join_input *input, const wci_digest *diff_id, const wci_sink *to, wc_error **err);

/* `code` with `why` unless what was hashed is that layer. */
int32_t wci_layer_check_id(wci_hasher *hasher, const wci_digest *diff_id, int32_t code, const char *why, wc_error **err);

#endif
