/* SPDX-License-Identifier: Apache-2.0 */
/* The keys that let go of a container's terminal, in Docker's words: "ctrl-p,ctrl-q". */
#include <string.h>

#include "wcctl.h"

/* The byte that a terminal sends for one word: a character, or "ctrl-" with a letter or one of @[\]^_. */
static int key_of(const char *word, size_t size, unsigned char *key)
{
    if (size == 1) {
        *key = (unsigned char)*word;
        return 1;
    }
    unsigned char last = (unsigned char)word[size - 1];
    if (size != 6 || strncmp(word, "ctrl-", 5) || !strchr("abcdefghijklmnopqrstuvwxyz@[\\]^_", last))
        return 0;
    *key = last & 0x1f;
    return 1;
}

detach_keys detach_keys_parse(const char *text)
{
    detach_keys keys = {.count = 0};
    for (const char *word = text ? text : "ctrl-p,ctrl-q"; *word;) {
        size_t size = strcspn(word, ",");
        if (!size || (word[size] && !word[size + 1]) || keys.count == sizeof keys.keys ||
            !key_of(word, size, &keys.keys[keys.count++]))
            die_usage("--detach-keys '%s': write up to %d characters or ctrl-LETTER with commas between, such as "
                      "ctrl-p,ctrl-q, or \"\" for none",
                      text, (int)sizeof keys.keys);
        word += size + (word[size] == ',');
    }
    return keys;
}

/* How many of the keys that were seen may still begin the sequence, not counting all `seen` of them. */
static size_t shorter_beginning(const detach_keys *k, size_t seen)
{
    size_t size = seen ? seen - 1 : 0;
    while (size && memcmp(k->keys, k->keys + seen - size, size))
        size--;
    return size;
}

int detach_keys_filter(detach_keys *k, const char *data, size_t size, char *out, size_t *out_size)
{
    *out_size = 0;
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)data[i];
        while (k->seen && k->keys[k->seen] != byte) {
            size_t kept = shorter_beginning(k, k->seen);
            memcpy(out + *out_size, k->keys, k->seen - kept);
            *out_size += k->seen - kept;
            k->seen = kept;
        }
        if (!k->count || k->keys[k->seen] != byte)
            out[(*out_size)++] = data[i];
        else if (++k->seen == k->count)
            return 1;
    }
    return 0;
}
