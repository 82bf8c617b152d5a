/* SPDX-License-Identifier: Apache-2.0 */
/* The trees X, bottom up. Everybody makes them in this order, so nobody waits for somebody who waits
 * for him. */
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "image/layers.h"
#include "layer/layer.h"

int32_t wci_level_open(wci_store *store, const wci_layer_record *layer, wci_level *level,
                       wc_error **err)
{
    char *tree = NULL;
    int32_t code = wci_tree_path(store, WCI_TREE_LAYER, &layer->diff_id, &tree, err);
    if (!code && !tree)
        code = wci_err(err, WC_E_CORRUPT, "layer '%s': recorded without a directory",
                       layer->diff_id.text);
    if (code)
        return code;
    char *parent = wci_path_parent(tree);
    level->tree = tree;
    level->records = parent ? wci_path_join(parent, "records") : NULL;
    wci_free(parent);
    return level->records ? WC_OK : wci_err_nomem(err);
}

int32_t wci_level_open_links(wci_store *store, const wci_layer_record *layer, wci_level *level,
                             wc_error **err)
{
    char *links = NULL;
    int32_t code = wci_tree_path(store, WCI_TREE_LINKS, &layer->chain_id, &links, err);
    level->links = links;
    return code;
}

void wci_levels_free(wci_level *levels, size_t count)
{
    for (size_t i = 0; levels && i < count; i++) {
        wci_free((char *)levels[i].tree);
        wci_free((char *)levels[i].records);
        wci_free((char *)levels[i].links);
    }
    wci_free(levels);
}

static int32_t make_links(const wci_level *levels, size_t count, wci_staging *staging,
                          wc_error **err)
{
    int is_empty = 0;
    int32_t code = wci_layer_link(levels, count, wci_staging_dir(staging), &is_empty, err);
    return code ? code : wci_staging_commit(staging, 0, 0, is_empty, err);
}

static int32_t link_level(wc_call *call, wci_store *store, wci_hold *hold,
                          const wci_layer_record *layer, wci_level *levels, size_t count,
                          wci_stagings *trees, wc_error **err)
{
    wci_staging *staging = NULL;
    int32_t code =
        wci_staging_begin(call, hold, WCI_TREE_LINKS, &layer->chain_id, &staging, err);
    if (!code && staging) {
        code = make_links(levels, count, staging, err);
        if (code)
            wci_staging_free(staging);
        else
            code = wci_stagings_add(trees, staging, err);
    }
    return code ? code : wci_level_open_links(store, layer, &levels[count - 1], err);
}

int32_t wci_layers_link(wc_call *call, wci_store *store, wci_hold *hold,
                        const wci_layer_record *layers, size_t count, wci_stagings *trees,
                        wc_error **err)
{
    wci_level *levels = wci_calloc(count + 1, sizeof *levels);
    int32_t code = levels ? WC_OK : wci_err_nomem(err);
    for (size_t i = 0; i < count && !code; i++) {
        code = wci_call_check(call, err);
        if (!code)
            code = wci_level_open(store, &layers[i], &levels[i], err);
        if (!code)
            code = link_level(call, store, hold, &layers[i], levels, i + 1, trees, err);
    }
    wci_levels_free(levels, count);
    return code;
}
