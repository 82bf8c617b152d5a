/* SPDX-License-Identifier: Apache-2.0 */
#include "container/names.h"

#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "platform/host.h"

static const char *const moods[] = {
    "agile",  "amber",  "apt",     "bold",   "brave",  "breezy", "bright", "brisk",
    "calm",   "candid", "cheery",  "clever", "cosy",   "crisp",  "daring", "deft",
    "eager",  "early",  "earnest", "fair",   "fleet",  "fond",   "frank",  "fresh",
    "gentle", "glad",   "golden",  "grand",  "happy",  "hardy",  "honest", "humble",
    "jolly",  "keen",   "kind",    "lively", "loyal",  "lucid",  "lucky",  "mellow",
    "merry",  "mild",   "modest",  "neat",   "nimble", "noble",  "patient", "placid",
    "plucky", "polite", "proud",   "quick",  "quiet",  "ready",  "serene", "silver",
    "smart",  "snug",   "sober",   "spry",   "steady", "sunny",  "swift",  "tidy",
};

static const char *const creatures[] = {
    "adder",   "badger",  "beaver",  "bison",    "bittern", "bunting", "buzzard", "carp",
    "crane",   "curlew",  "dipper",  "dolphin",  "dormouse", "dunlin", "eagle",   "egret",
    "falcon",  "ferret",  "finch",   "fox",      "gannet",  "gecko",   "goose",   "grebe",
    "hare",    "harrier", "hedgehog", "heron",   "hoopoe",  "ibex",    "ibis",    "jackdaw",
    "kestrel", "kite",    "lapwing", "lark",     "linnet",  "lynx",    "marten",  "mole",
    "newt",    "oriole",  "osprey",  "otter",    "owl",     "petrel",  "pike",    "pipit",
    "plover",  "puffin",  "raven",   "redshank", "robin",   "salmon",  "seal",    "shrew",
    "siskin",  "stoat",   "swan",    "teal",     "tern",    "thrush",  "vole",    "wren",
};

_Static_assert(sizeof moods / sizeof *moods == 64 && sizeof creatures / sizeof *creatures == 64,
               "one byte each chooses evenly");

int32_t wci_name_make(int attempt, char out[WCI_NAME_SIZE], wc_error **err)
{
    unsigned char dice[4];
    int32_t rc = wci_random_bytes(dice, sizeof dice, err);
    if (rc)
        return rc;
    const char *mood = moods[dice[0] % 64], *creature = creatures[dice[1] % 64];
    if (attempt == 0)
        snprintf(out, WCI_NAME_SIZE, "%s_%s", mood, creature);
    else
        snprintf(out, WCI_NAME_SIZE, "%s_%s%u", mood, creature, (dice[2] << 8 | dice[3]) + 1u);
    return WC_OK;
}

int32_t wci_name_check(const char *name, wc_error **err)
{
    static const char first[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    static const char rest[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    size_t size = strlen(name);
    if (size < 2 || size > 255 || !strchr(first, name[0]) || strspn(name, rest) != size)
        return wci_err(err, WC_E_INVALID,
                       "container name '%.80s': only [a-zA-Z0-9][a-zA-Z0-9_.-]+ is allowed", name);
    return WC_OK;
}
