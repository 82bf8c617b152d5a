/* SPDX-License-Identifier: Apache-2.0 */
#include "image/trust/key_box.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "core/secretbox.h"
#include "platform/host.h"
#include "platform/keys.h"
#include "core/base64.h"

#define WHAT "the encrypted key"
#define MAX_SIZE ((size_t)1 << 20)
#define KDF "scrypt"
#define CIPHER "nacl/secretbox"
#define SALT 32
/* What everybody reads: older tools take no others. */
#define COST_N 32768
#define COST_R 8
#define COST_P 1

typedef struct box {
    int64_t n, r, p;
    char *salt, *nonce, *content; /* owned */
    size_t salt_size, nonce_size, content_size;
} box;

static void clear(box *b)
{
    wci_free(b->salt);
    wci_free(b->nonce);
    wci_free(b->content);
}

/* ---- Opening ---------------------------------------------------------------------------------------- */

static int32_t check_name(json_t *object, const char *wanted, wc_error **err)
{
    const char *name = "";
    char shown[WCI_SHOWN_SIZE];
    int32_t code = wci_json_get_string(object, "name", WHAT, &name, err);
    if (code || !strcmp(name, wanted))
        return code;
    wci_show(name, shown);
    return wci_err(err, WC_E_UNSUPPORTED, WHAT ": made with '%s'; only '%s' is known", shown, wanted);
}

static int32_t take_bytes(json_t *object, const char *key, char **out, size_t *size, wc_error **err)
{
    const char *text = "";
    int32_t code = wci_json_get_string(object, key, WHAT, &text, err);
    if (code)
        return code;
    *out = wci_base64_decode(text, size);
    return *out && *size ? WC_OK : wci_err(err, WC_E_FORMAT, WHAT ": '%s' is not base64", key);
}

static int32_t take_costs(json_t *kdf, box *b, wc_error **err)
{
    json_t *params = NULL;
    int32_t code = wci_json_get_object(kdf, "params", WHAT, &params, err);
    if (!code)
        code = wci_json_get_int(params, "N", WHAT, 2, INT64_MAX, &b->n, err);
    if (!code)
        code = wci_json_get_int(params, "r", WHAT, 1, INT64_MAX, &b->r, err);
    if (!code)
        code = wci_json_get_int(params, "p", WHAT, 1, INT64_MAX, &b->p, err);
    return code;
}

static int32_t read_box(json_t *json, box *b, wc_error **err)
{
    json_t *kdf = NULL, *cipher = NULL;
    int32_t code = wci_json_get_object(json, "kdf", WHAT, &kdf, err);
    if (!code)
        code = wci_json_get_object(json, "cipher", WHAT, &cipher, err);
    if (!code)
        code = check_name(kdf, KDF, err);
    if (!code)
        code = check_name(cipher, CIPHER, err);
    if (!code)
        code = take_costs(kdf, b, err);
    if (!code)
        code = take_bytes(kdf, "salt", &b->salt, &b->salt_size, err);
    if (!code)
        code = take_bytes(cipher, "nonce", &b->nonce, &b->nonce_size, err);
    if (!code && b->nonce_size != WCI_SECRETBOX_NONCE)
        code = wci_err(err, WC_E_FORMAT, WHAT ": a nonce of %zu bytes", b->nonce_size);
    return code ? code : take_bytes(json, "ciphertext", &b->content, &b->content_size, err);
}

static int32_t unseal(const box *b, const char *passphrase, wci_secret *out, wc_error **err)
{
    unsigned char key[WCI_SECRETBOX_KEY];
    int32_t code = wci_scrypt(passphrase, strlen(passphrase), b->salt, b->salt_size, (uint64_t)b->n, (uint64_t)b->r,
                              (uint64_t)b->p, key, sizeof key, err);
    if (!code)
        code = wci_secretbox_open(key, (const unsigned char *)b->nonce, (const unsigned char *)b->content,
                                  b->content_size, out, err);
    wci_wipe(key, sizeof key);
    return code;
}

int32_t wci_key_box_open(const char *json, size_t size, const char *passphrase, wci_secret *out, wc_error **err)
{
    json_t *value = NULL;
    box b = {.n = 0};
    int32_t code = wci_json_parse(json, size, MAX_SIZE, WHAT, &value, err);
    if (!code && !json_is_object(value))
        code = wci_err(err, WC_E_FORMAT, WHAT ": it must be a JSON object");
    if (!code)
        code = read_box(value, &b, err);
    if (!code)
        code = unseal(&b, passphrase, out, err);
    json_decref(value);
    clear(&b);
    return code;
}

/* ---- Making ----------------------------------------------------------------------------------------- */

static json_t *base64_json(const void *data, size_t size)
{
    char *text = wci_base64_encode(data, size);
    json_t *value = text ? json_string(text) : NULL;
    wci_free(text);
    return value;
}

static int32_t write_box(const unsigned char *salt, const unsigned char *nonce, const unsigned char *content,
                         size_t content_size, wc_buf **out, wc_error **err)
{
    json_t *json = json_pack("{s:{s:s, s:{s:i, s:i, s:i}, s:o}, s:{s:s, s:o}, s:o}", "kdf", "name", KDF, "params",
                             "N", COST_N, "r", COST_R, "p", COST_P, "salt", base64_json(salt, SALT), "cipher", "name",
                             CIPHER, "nonce", base64_json(nonce, WCI_SECRETBOX_NONCE), "ciphertext",
                             base64_json(content, content_size));
    int32_t code = json ? wci_json_dump(json, out, err) : wci_err_nomem(err);
    json_decref(json);
    return code;
}

static int32_t seal(const void *data, size_t size, const char *passphrase, unsigned char *content, wc_buf **out,
                    wc_error **err)
{
    unsigned char key[WCI_SECRETBOX_KEY], salt[SALT], nonce[WCI_SECRETBOX_NONCE];
    int32_t code = wci_random_bytes(salt, sizeof salt, err);
    if (!code)
        code = wci_random_bytes(nonce, sizeof nonce, err);
    if (!code)
        code = wci_scrypt(passphrase, strlen(passphrase), salt, sizeof salt, COST_N, COST_R, COST_P, key, sizeof key,
                          err);
    if (!code)
        code = wci_secretbox_seal(key, nonce, data, size, content, err);
    if (!code)
        code = write_box(salt, nonce, content, size + WCI_SECRETBOX_TAG, out, err);
    wci_wipe(key, sizeof key);
    return code;
}

int32_t wci_key_box_make(const void *data, size_t size, const char *passphrase, wc_buf **json, wc_error **err)
{
    unsigned char *content = wci_malloc(size + WCI_SECRETBOX_TAG);
    int32_t code = content ? seal(data, size, passphrase, content, json, err) : wci_err_nomem(err);
    wci_free(content);
    return code;
}
