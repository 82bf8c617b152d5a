/* SPDX-License-Identifier: Apache-2.0 */
/* A layer's tar without the content that its unpacked tree has anyway: what is needed to write the same
 * tar again, byte for byte. */
#ifndef WCI_LAYER_SPLIT_H
#define WCI_LAYER_SPLIT_H

#include "layer/layer.h"

/* Reads the layer once more and compares its payload with the tree in `fs`; writes the rest to the new
 * file `path`. *kept is the size of that file. WC_E_DIGEST when it is not the layer `diff_id`. */
int32_t wci_layer_split(const wci_source *compressed, wci_codec codec, const wci_digest *diff_id,
                        const char *fs, const char *path, uint64_t *kept, wc_error **err);
/* Writes the tar. WC_E_CORRUPT when tree and file do not give the layer `diff_id`; what came by then is of
 * no use. */
int32_t wci_layer_join(const char *fs, const char *path, const wci_digest *diff_id, const wci_sink *to,
                       wc_error **err);

#endif
