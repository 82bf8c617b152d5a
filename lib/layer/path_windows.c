/* SPDX-License-Identifier: Apache-2.0 */
/* What Windows reads differently. Checked on every host that unpacks for a Windows target. */
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/str.h"
#include "layer/path.h"

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static int is_word(const char *part, size_t size, const char *word)
{
    for (size_t i = 0; i < size; i++)
        if (!word[i] || lower(part[i]) != word[i])
            return 0;
    return word[size] == '\0';
}

/* "com1" to "com9", and with the superscript digits of Latin-1, which Windows takes as well. */
static int is_port(const char *part, size_t size)
{
    if (size < 4 || !(is_word(part, 3, "com") || is_word(part, 3, "lpt")))
        return 0;
    if (size == 4)
        return part[3] >= '0' && part[3] <= '9';
    return size == 5 && part[3] == '\xc2' &&
           (part[4] == '\xb9' || part[4] == '\xb2' || part[4] == '\xb3');
}

static int is_device(const char *part, size_t size)
{
    static const char *const names[] = {"con", "prn", "aux", "nul", "conin$", "conout$"};
    size_t stem = 0;
    while (stem < size && part[stem] != '.')
        stem++;
    while (stem && part[stem - 1] == ' ') /* "con .txt" */
        stem--;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (is_word(part, stem, names[i]))
            return 1;
    return is_port(part, stem);
}

static const char *windows_problem(const char *part, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if ((unsigned char)part[i] < 0x20 || strchr("<>\"|?*", part[i]))
            return "has a character that Windows forbids";
        if (part[i] == '\\')
            return "has a backslash, which Windows takes for a separator";
        if (part[i] == ':')
            return "has a colon: a drive or a stream";
    }
    if (size && (part[size - 1] == '.' || part[size - 1] == ' '))
        return "has a part that ends in a dot or a space, which Windows drops";
    if (is_device(part, size))
        return "names a device";
    return NULL;
}

int32_t wci_path_check_windows(const char *path, wc_error **err)
{
    char shown[WCI_SHOWN_SIZE];
    for (const char *part = path; *part;) {
        size_t size = strcspn(part, "/");
        const char *problem = windows_problem(part, size);
        if (problem)
            return wci_err(err, WC_E_FORMAT, "path '%s': not possible on Windows: %s",
                           wci_path_shown(path, shown), problem);
        part += size + (part[size] == '/');
    }
    return WC_OK;
}

/* Paths are kept as two 64-bit hashes, of the folded and of the exact letters. */
typedef struct case_slot {
    uint64_t folded; /* 0: free */
    uint64_t exact;
} case_slot;

struct wci_case_set {
    case_slot *slots;
    size_t cap; /* a power of two */
    size_t used;
};

enum { FIRST_CAP = 1024 };
#define FNV_START UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

wci_case_set *wci_case_set_new(void)
{
    wci_case_set *set = wci_calloc(1, sizeof *set);
    case_slot *slots = wci_calloc(FIRST_CAP, sizeof *slots);
    if (!set || !slots) {
        wci_free(set);
        wci_free(slots);
        return NULL;
    }
    set->slots = slots;
    set->cap = FIRST_CAP;
    return set;
}

void wci_case_set_free(wci_case_set *set)
{
    if (!set)
        return;
    wci_free(set->slots);
    wci_free(set);
}

static case_slot *find_slot(case_slot *slots, size_t cap, uint64_t folded)
{
    size_t i = (size_t)folded & (cap - 1);
    while (slots[i].folded && slots[i].folded != folded)
        i = (i + 1) & (cap - 1);
    return &slots[i];
}

static int grow_set(wci_case_set *set)
{
    size_t cap = set->cap * 2;
    case_slot *slots = wci_calloc(cap, sizeof *slots);
    if (!slots)
        return 0;
    for (size_t i = 0; i < set->cap; i++)
        if (set->slots[i].folded)
            *find_slot(slots, cap, set->slots[i].folded) = set->slots[i];
    wci_free(set->slots);
    set->slots = slots;
    set->cap = cap;
    return 1;
}

static int32_t add_hashes(wci_case_set *set, uint64_t folded, uint64_t exact, const char *path,
                          wc_error **err)
{
    char shown[WCI_SHOWN_SIZE];
    if (set->used * 2 >= set->cap && !grow_set(set))
        return wci_err_nomem(err);
    folded |= 1; /* 0 means free */
    case_slot *slot = find_slot(set->slots, set->cap, folded);
    if (slot->folded && slot->exact != exact)
        return wci_err(err, WC_E_FORMAT,
                       "path '%s': not possible on Windows: differs from another only in case",
                       wci_path_shown(path, shown));
    set->used += slot->folded == 0;
    slot->folded = folded;
    slot->exact = exact;
    return WC_OK;
}

int32_t wci_case_set_add(wci_case_set *set, const char *path, wc_error **err)
{
    uint64_t folded = FNV_START, exact = FNV_START;
    for (const char *p = path;; p++) {
        if (*p == '/' || !*p) {
            int32_t rc = add_hashes(set, folded, exact, path, err);
            if (rc || !*p)
                return rc;
        }
        folded = (folded ^ (unsigned char)lower(*p)) * FNV_PRIME;
        exact = (exact ^ (unsigned char)*p) * FNV_PRIME;
    }
}
