/* SPDX-License-Identifier: Apache-2.0 */
#include "core/digest.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/str.h"
#include "platform/hash.h"

#define READ_SIZE ((size_t)256 << 10)

struct wci_hasher {
    wci_hash_algo algo;
    wci_hash *hash;
    int failed;
};

static const struct {
    const char *prefix;
    const char *name;
    int bits;
} algos[] = {
    [WCI_SHA256] = {"sha256:", "sha256", 256},
    [WCI_SHA512] = {"sha512:", "sha512", 512},
};

#define PREFIX_SIZE 7

static int is_lower_hex(const char *s, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (!(s[i] >= '0' && s[i] <= '9') && !(s[i] >= 'a' && s[i] <= 'f'))
            return 0;
    return s[size] == '\0';
}

static const char *why_not_digest(const char *text)
{
    for (size_t i = 0; i < sizeof algos / sizeof *algos; i++) {
        if (!wci_starts_with(text, algos[i].prefix))
            continue;
        size_t hex = (size_t)algos[i].bits / 4;
        if (strnlen(text + PREFIX_SIZE, hex + 1) != hex)
            return "the hexadecimal part has the wrong length";
        return is_lower_hex(text + PREFIX_SIZE, hex)
                   ? NULL
                   : "only the digits 0-9 and a-f are allowed";
    }
    return "it must begin with 'sha256:' or 'sha512:'";
}

int32_t wci_digest_parse(const char *text, wci_digest *out, wc_error **err)
{
    const char *why = text ? why_not_digest(text) : "it is missing";
    if (why) {
        char shown[WCI_SHOWN_SIZE];
        wci_show(text ? text : "", shown);
        return wci_err(err, WC_E_FORMAT, "digest '%s': not valid: %s", shown, why);
    }
    wci_digest digest = {{0}};
    memcpy(digest.text, text, strlen(text));
    *out = digest;
    return WC_OK;
}

int wci_digest_is_set(const wci_digest *d)
{
    return d->text[0] != '\0';
}

int wci_digest_equal(const wci_digest *a, const wci_digest *b)
{
    return !strcmp(a->text, b->text);
}

wci_hash_algo wci_digest_algo(const wci_digest *d)
{
    return wci_starts_with(d->text, algos[WCI_SHA512].prefix) ? WCI_SHA512 : WCI_SHA256;
}

const char *wci_digest_algo_name(const wci_digest *d)
{
    return algos[wci_digest_algo(d)].name;
}

const char *wci_digest_hex(const wci_digest *d)
{
    return wci_digest_is_set(d) ? d->text + PREFIX_SIZE : "";
}

int32_t wci_digest_chain(wci_digest *chain, const wci_digest *diff, wc_error **err)
{
    if (!wci_digest_is_set(chain)) {
        *chain = *diff;
        return WC_OK;
    }
    char text[2 * WCI_DIGEST_TEXT_SIZE];
    size_t size = strlen(chain->text);
    memcpy(text, chain->text, size);
    text[size++] = ' ';
    memcpy(text + size, diff->text, strlen(diff->text));
    return wci_digest_of(WCI_SHA256, text, size + strlen(diff->text), chain, err);
}

int32_t wci_hasher_new(wci_hash_algo algo, wci_hasher **out, wc_error **err)
{
    wci_hasher *h = wci_calloc(1, sizeof *h);
    if (!h)
        return wci_err_nomem(err);
    h->algo = algo;
    int32_t rc = wci_hash_new(algos[algo].bits, &h->hash, err);
    if (rc) {
        wci_free(h);
        return rc;
    }
    *out = h;
    return WC_OK;
}

void wci_hasher_update(wci_hasher *h, const void *data, size_t size)
{
    if (!wci_hash_update(h->hash, data, size))
        h->failed = 1;
}

static void set_from_bytes(wci_digest *out, wci_hash_algo algo, const unsigned char *bytes)
{
    static const char digits[] = "0123456789abcdef";
    memset(out, 0, sizeof *out);
    memcpy(out->text, algos[algo].prefix, PREFIX_SIZE);
    char *to = out->text + PREFIX_SIZE;
    for (int i = 0; i < algos[algo].bits / 8; i++) {
        *to++ = digits[bytes[i] >> 4];
        *to++ = digits[bytes[i] & 15];
    }
}

int32_t wci_hasher_read(wci_hasher *h, const wc_call *call, wci_fd fd, uint64_t *size, wc_error **err)
{
    char *buffer = wci_malloc(READ_SIZE);
    int32_t rc = buffer ? WC_OK : wci_err_nomem(err);
    *size = 0;
    for (size_t got = READ_SIZE; !rc && got == READ_SIZE; *size += rc ? 0 : got) {
        rc = wci_call_check(call, err);
        if (!rc)
            rc = wci_fd_read(fd, buffer, READ_SIZE, &got, err);
        if (!rc)
            wci_hasher_update(h, buffer, got);
    }
    wci_free(buffer);
    return rc;
}

int32_t wci_hasher_final(wci_hasher *h, wci_digest *out, wc_error **err)
{
    unsigned char bytes[WCI_HASH_MAX_SIZE];
    if (h->failed || !wci_hash_final(h->hash, bytes))
        return wci_err(err, WC_E_INTERNAL, "%s: the system's hash function failed",
                       algos[h->algo].name);
    set_from_bytes(out, h->algo, bytes);
    return WC_OK;
}

void wci_hasher_free(wci_hasher *h)
{
    if (!h)
        return;
    wci_hash_free(h->hash);
    wci_free(h);
}

int32_t wci_digest_of(wci_hash_algo algo, const void *data, size_t size, wci_digest *out,
                      wc_error **err)
{
    wci_hasher *h;
    int32_t rc = wci_hasher_new(algo, &h, err);
    if (rc)
        return rc;
    wci_hasher_update(h, data, size);
    rc = wci_hasher_final(h, out, err);
    wci_hasher_free(h);
    return rc;
}
