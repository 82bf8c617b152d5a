/* SPDX-License-Identifier: Apache-2.0 */
#include "image/reuse.h"

#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "layer/regular.h"
#include "platform/tree.h"

enum { CHUNK_SIZE = 256 * 1024 };

typedef struct search {
    wc_call *call;
    wci_store *store;
    wci_hold *hold;
    int32_t (*tick)(uintptr_t payload, wc_error **err);
    uintptr_t payload;
    wci_part_content **wanted; /* sorted by key */
    size_t count;
    wci_strv *trees;
    char *chunk;

    /* The present tree. */
    wci_digest key;
    const char *fs; /* NULL: not looked into yet */
    wci_fd root;
    int is_gone;
    int32_t ended; /* not the fault of the list */
} search;

/* ---- What is wanted --------------------------------------------------------------------------- */

static int by_key(const void *a, const void *b)
{
    const wci_part_content *const *x = a, *const *y = b;
    return memcmp((*x)->key.bytes, (*y)->key.bytes, sizeof (*x)->key.bytes);
}

static int32_t list_wanted(search *s, wci_layer_parts **layers, size_t count, wc_error **err)
{
    size_t all = 0;
    for (size_t i = 0; i < count; i++)
        all += layers[i]->count;
    s->wanted = wci_calloc(all + 1, sizeof *s->wanted);
    if (!s->wanted)
        return wci_err_nomem(err);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < layers[i]->count; k++)
            s->wanted[s->count++] = &layers[i]->items[k];
    qsort(s->wanted, s->count, sizeof *s->wanted, by_key);
    return WC_OK;
}

/* The first with that key; *end: behind the last. They are equal when there is none. */
static size_t find_wanted(const search *s, const wci_content_key *key, size_t *end)
{
    size_t low = 0, high = s->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (memcmp(s->wanted[middle]->key.bytes, key->bytes, sizeof key->bytes) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (*end = low; *end < s->count && !memcmp(s->wanted[*end]->key.bytes, key->bytes, sizeof key->bytes);)
        ++*end;
    return low;
}

/* ---- Files ------------------------------------------------------------------------------------ */

static int32_t ask(search *s, wc_error **err)
{
    s->ended = s->tick ? s->tick(s->payload, err) : wci_call_check(s->call, err);
    return s->ended;
}

static int32_t hash_file(search *s, wci_fd file, wci_hasher *hasher, wc_error **err)
{
    size_t got = 1;
    int32_t code = WC_OK;
    for (uint64_t at = 0; !code && got; at += got) {
        code = ask(s, err);
        if (!code)
            code = wci_fd_pread(file, s->chunk, CHUNK_SIZE, at, &got, err);
        if (!code)
            wci_hasher_update(hasher, s->chunk, got);
    }
    return code;
}

static int32_t has_content(search *s, wci_fd file, const wci_content_key *key, int *has, wc_error **err)
{
    wci_digest digest = {{0}};
    wci_content_key found;
    wci_hasher *hasher = NULL;
    int32_t code = wci_hasher_new(WCI_SHA256, &hasher, err);
    if (!code)
        code = hash_file(s, file, hasher, err);
    if (!code)
        code = wci_hasher_final(hasher, &digest, err);
    wci_hasher_free(hasher);
    *has = !code && wci_content_key_of(&digest, &found) && !memcmp(found.bytes, key->bytes, sizeof key->bytes);
    return code;
}

/* What cannot be read is not there. */
static int32_t look(search *s, const char *name, const wci_part_content *wanted, int *has, wc_error **err)
{
    uint64_t size = 0;
    wci_fd file = WCI_FD_NONE;
    wc_error *why = NULL;
    *has = 0;
    if (wci_regular_open(s->root, name, &file, &size, NULL))
        return WC_OK;
    int32_t code = size == wanted->size ? has_content(s, file, &wanted->key, has, &why) : WC_OK;
    wci_fd_close(file);
    if (code && s->ended)
        return wci_err_move(err, why);
    wc_error_unref(why);
    return WC_OK;
}

/* ---- Trees ------------------------------------------------------------------------------------ */

/* Held first, and then looked for: it might just be on its way out. */
static int32_t enter_tree(search *s, wc_error **err)
{
    char *fs = NULL;
    if (s->fs || s->is_gone)
        return WC_OK;
    s->ended = wci_hold_add(s->call, s->hold, &s->key, err);
    if (s->ended)
        return s->ended;
    if (wci_tree_path(s->store, WCI_TREE_LAYER, &s->key, &fs, NULL) || !fs || wci_tree_open_root(fs, &s->root, NULL)) {
        wci_free(fs);
        s->is_gone = 1;
        return WC_OK;
    }
    if (wci_strv_add_take(s->trees, fs))
        return s->ended = wci_err_nomem(err);
    s->fs = fs;
    return WC_OK;
}

static int32_t set_found(search *s, wci_part_content *content, const char *name, wc_error **err)
{
    if (content->tree)
        return WC_OK;
    content->name = wci_strdup(name);
    if (!content->name)
        return s->ended = wci_err_nomem(err);
    content->tree = s->fs;
    return WC_OK;
}

static int32_t take_record(void *self, const wci_content_key *key, const char *name, wc_error **err)
{
    search *s = self;
    int has = 0;
    size_t end, first = find_wanted(s, key, &end);
    if (first == end || s->wanted[first]->tree)
        return WC_OK;
    int32_t code = enter_tree(s, err);
    if (code || s->is_gone)
        return code;
    code = look(s, name, s->wanted[first], &has, err);
    for (size_t i = first; has && i < end && !code; i++)
        if (s->wanted[i]->size == s->wanted[first]->size)
            code = set_found(s, s->wanted[i], name, err);
    return code;
}

/* Owned; NULL: out of memory, or no digest. */
static char *list_path(wci_store *store, const wci_digest *key)
{
    char *fs = NULL, *dir = NULL, *path = NULL;
    if (!wci_tree_path(store, WCI_TREE_LAYER, key, &fs, NULL) && fs && (dir = wci_path_parent(fs)))
        path = wci_path_join(dir, WCI_CONTENTS_FILE);
    wci_free(dir);
    wci_free(fs);
    return path;
}

/* A list that is not there, or damaged, only means that less is found. */
static int32_t look_into(search *s, const char *key, wc_error **err)
{
    const wci_contents_taker taker = {take_record, s};
    wc_error *why = NULL;
    s->fs = NULL;
    s->is_gone = 0;
    s->root = WCI_FD_NONE;
    char *path = wci_digest_parse(key, &s->key, NULL) ? NULL : list_path(s->store, &s->key);
    int32_t code = ask(s, &why);
    if (path && !code)
        code = wci_contents_read(path, &taker, &why);
    wci_fd_close(s->root);
    wci_free(path);
    if (code && s->ended)
        return wci_err_move(err, why);
    wc_error_unref(why);
    return WC_OK;
}

int32_t wci_reuse_find(wc_call *call, wci_store *store, wci_hold *hold, wci_layer_parts **layers, size_t count,
                       int32_t (*tick)(uintptr_t payload, wc_error **err), uintptr_t payload, wci_strv *trees,
                       wc_error **err)
{
    search s = {.call = call, .store = store, .hold = hold, .tick = tick, .payload = payload, .trees = trees};
    wci_strv keys = WCI_STRV_INIT;
    s.chunk = wci_malloc(CHUNK_SIZE);
    int32_t code = s.chunk ? list_wanted(&s, layers, count, err) : wci_err_nomem(err);
    if (!code)
        code = wci_trees_all(call, store, &keys, err);
    for (size_t i = 0; i < keys.count && !code; i++)
        code = look_into(&s, keys.items[i], err);
    wci_strv_free(&keys);
    wci_free(s.wanted);
    wci_free(s.chunk);
    return code;
}

int32_t wci_reuse_is_possible(wc_call *call, wci_store *store, int *possible, wc_error **err)
{
    wci_strv keys = WCI_STRV_INIT;
    int32_t code = wci_trees_all(call, store, &keys, err);
    *possible = 0;
    for (size_t i = 0; i < keys.count && !code && !*possible; i++) {
        wci_digest key;
        char *path = wci_digest_parse(keys.items[i], &key, NULL) ? NULL : list_path(store, &key);
        *possible = path && wci_file_exists(path);
        wci_free(path);
    }
    wci_strv_free(&keys);
    return code;
}
