/* SPDX-License-Identifier: Apache-2.0 */
#include "image/trust/key_file.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "image/trust/key_box.h"
#include "image/trust/pem.h"
#include "platform/file.h"

/* ---- The one block that counts ---------------------------------------------------------------------- */

/* Written by `openssl ecparam -genkey` before the key; the key says the same. */
static int is_passed_over(const char *label)
{
    return !strcmp(label, "EC PARAMETERS");
}

static int32_t first_block(const char **at, const char *end, wci_pem *out, wc_error **err)
{
    int32_t code = wci_pem_next(at, end, out, err);
    while (!code && is_passed_over(out->label)) {
        wci_pem_clear(out);
        code = wci_pem_next(at, end, out, err);
    }
    return code;
}

static int32_t only_block(const char *text, size_t size, wci_pem *out, wc_error **err)
{
    const char *at = text, *end = text + size;
    wci_pem more = WCI_PEM_INIT;
    int32_t code = first_block(&at, end, out, err);
    if (code || wci_pem_next(&at, end, &more, NULL) == WC_E_NOT_FOUND)
        return code;
    wci_pem_clear(&more);
    return wci_err(err, WC_E_FORMAT, "more than one key; write each into a file of its own");
}

static int32_t wrong_label(const char *label, const char *wanted, wc_error **err)
{
    char shown[WCI_SHOWN_SIZE];
    wci_show(label, shown);
    return wci_err(err, WC_E_FORMAT, "it holds '%s', not %s", shown, wanted);
}

/* Reads a file and hands its bytes, wiped afterwards, to `parse`. */
typedef struct reader {
    int32_t (*parse)(const char *text, size_t size, const char *what, const struct reader *self, wc_error **err);
    const char *passphrase;
    wci_key **key;
    wci_certs *certs;
} reader;

static int32_t read_file(const char *path, const char *kind, const reader *r, wc_error **err)
{
    wc_buf *bytes = NULL;
    char *what = wci_asprintf("%s '%s'", kind, path);
    if (!what)
        return wci_err_nomem(err);
    int32_t code = wci_file_read_secret(path, WCI_KEY_FILE_MAX, &bytes, err);
    if (code)
        code = wci_err_wrap(err, code, "%s: cannot be read", what);
    else
        code = r->parse(wc_buf_data(bytes), wc_buf_size(bytes), what, r, err);
    wc_buf_unref(bytes);
    wci_free(what);
    return code;
}

/* ---- Public keys ------------------------------------------------------------------------------------ */

int32_t wci_public_key_parse(const char *text, size_t size, const char *what, wci_key **out, wc_error **err)
{
    wci_pem block = WCI_PEM_INIT;
    int32_t code = only_block(text, size, &block, err);
    if (!code && strcmp(block.label, "PUBLIC KEY"))
        code = wrong_label(block.label, "a public key ('PUBLIC KEY')", err);
    if (!code)
        code = wci_key_read_public(block.data.data, block.data.size, out, err);
    wci_pem_clear(&block);
    return code ? wci_err_wrap(err, code, "%s", what) : WC_OK;
}

static int32_t parse_public(const char *text, size_t size, const char *what, const reader *r, wc_error **err)
{
    return wci_public_key_parse(text, size, what, r->key, err);
}

int32_t wci_public_key_load(const char *path, wci_key **out, wc_error **err)
{
    const reader r = {.parse = parse_public, .key = out};
    return read_file(path, "public key", &r, err);
}

/* ---- Private keys ----------------------------------------------------------------------------------- */

static const struct {
    const char *label;
    wci_key_form form;
} forms[] = {
    {"PRIVATE KEY", WCI_KEY_PKCS8},
    {"ENCRYPTED PRIVATE KEY", WCI_KEY_PKCS8_ENCRYPTED},
    {"EC PRIVATE KEY", WCI_KEY_SEC1},
    {"RSA PRIVATE KEY", WCI_KEY_PKCS1},
};

static int32_t open_box(const wci_pem *block, const char *passphrase, wci_key **out, wc_error **err)
{
    wci_secret der = WCI_SECRET_INIT;
    int32_t code = wci_key_box_open(block->data.data, block->data.size, passphrase, &der, err);
    if (!code)
        code = wci_key_read_private(WCI_KEY_PKCS8, der.data, der.size, NULL, out, err);
    wci_secret_clear(&der);
    return code;
}

static int32_t read_private(const wci_pem *block, const char *passphrase, wci_key **out, wc_error **err)
{
    if (!strcmp(block->label, WCI_KEY_BOX_LABEL) || !strcmp(block->label, "ENCRYPTED SIGSTORE PRIVATE KEY"))
        return open_box(block, passphrase, out, err);
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (!strcmp(block->label, forms[i].label))
            return wci_key_read_private(forms[i].form, block->data.data, block->data.size, passphrase, out, err);
    return wrong_label(block->label, "a private key", err);
}

int32_t wci_private_key_parse(const char *text, size_t size, const char *what, const char *passphrase, wci_key **out,
                              wc_error **err)
{
    wci_pem block = WCI_PEM_INIT;
    int32_t code = only_block(text, size, &block, err);
    if (!code)
        code = read_private(&block, passphrase ? passphrase : "", out, err);
    wci_pem_clear(&block);
    if (code == WC_E_AUTH && !passphrase) {
        wci_err_clear(err);
        return wci_err(err, WC_E_AUTH, "%s: it is encrypted; give its passphrase", what);
    }
    return code ? wci_err_wrap(err, code, "%s", what) : WC_OK;
}

static int32_t parse_private(const char *text, size_t size, const char *what, const reader *r, wc_error **err)
{
    return wci_private_key_parse(text, size, what, r->passphrase, r->key, err);
}

int32_t wci_private_key_load(const char *path, const char *passphrase, wci_key **out, wc_error **err)
{
    const reader r = {.parse = parse_private, .passphrase = passphrase, .key = out};
    return read_file(path, "private key", &r, err);
}

/* ---- New keys --------------------------------------------------------------------------------------- */

int32_t wci_public_key_write(const wci_key *key, wc_buf **out, wc_error **err)
{
    wci_str text = WCI_STR_INIT;
    wc_buf *der = NULL;
    int32_t code = wci_key_write_public(key, &der, err);
    if (code)
        return code;
    wci_pem_write(&text, "PUBLIC KEY", wc_buf_data(der), wc_buf_size(der));
    wc_buf_unref(der);
    return wci_str_to_buf(&text, out, err);
}

static int32_t write_private(const wci_key *key, const char *passphrase, wc_buf **out, wc_error **err)
{
    wci_str text = WCI_STR_INIT;
    wci_secret der = WCI_SECRET_INIT;
    wc_buf *box = NULL;
    int32_t code = wci_key_write_private(key, &der, err);
    if (!code)
        code = wci_key_box_make(der.data, der.size, passphrase, &box, err);
    wci_secret_clear(&der);
    if (code)
        return code;
    wci_pem_write(&text, WCI_KEY_BOX_LABEL, wc_buf_data(box), wc_buf_size(box));
    wc_buf_unref(box);
    return wci_str_to_buf(&text, out, err);
}

int32_t wci_key_pair_make(const char *passphrase, wc_buf **private_pem, wc_buf **public_pem, wc_error **err)
{
    wci_key *key = NULL;
    wc_buf *secret = NULL;
    int32_t code = wci_key_generate(&key, err);
    if (!code)
        code = write_private(key, passphrase, &secret, err);
    if (!code)
        code = wci_public_key_write(key, public_pem, err);
    wci_key_free(key);
    if (code)
        wc_buf_unref(secret);
    else
        *private_pem = secret;
    return code;
}

/* ---- Certificates ----------------------------------------------------------------------------------- */

static int32_t add_blocks(const char *text, size_t size, wci_certs *certs, wc_error **err)
{
    const char *at = text, *end = text + size;
    wci_pem block = WCI_PEM_INIT;
    int32_t code;
    while (!(code = wci_pem_next(&at, end, &block, err))) {
        if (strcmp(block.label, "CERTIFICATE"))
            code = wrong_label(block.label, "a certificate", err);
        else
            code = wci_certs_add(certs, block.data.data, block.data.size, err);
        wci_pem_clear(&block);
        if (code)
            return code;
    }
    return code;
}

int32_t wci_certs_parse(const char *text, size_t size, const char *what, wci_certs *certs, wc_error **err)
{
    size_t before = wci_certs_count(certs);
    if (size && text[0] == 0x30) { /* a SEQUENCE */
        int32_t code = wci_certs_add(certs, text, size, err);
        return code ? wci_err_wrap(err, code, "%s", what) : WC_OK;
    }
    wc_error *why = NULL;
    int32_t code = add_blocks(text, size, certs, &why);
    if (code == WC_E_NOT_FOUND && wci_certs_count(certs) > before) { /* after the last one */
        wc_error_unref(why);
        return WC_OK;
    }
    wci_err_move(err, why);
    return wci_err_wrap(err, code, "%s", what);
}

static int32_t parse_certs(const char *text, size_t size, const char *what, const reader *r, wc_error **err)
{
    return wci_certs_parse(text, size, what, r->certs, err);
}

static int is_cert_name(const char *name)
{
    return wci_ends_with(name, ".pem") || wci_ends_with(name, ".crt") || wci_ends_with(name, ".cer");
}

static int32_t load_directory(const char *path, const reader *r, wc_error **err)
{
    wci_strv names = WCI_STRV_INIT;
    int32_t code = wci_dir_list(path, &names, err);
    for (size_t i = 0; i < names.count && !code; i++) {
        char *file = is_cert_name(names.items[i]) ? wci_path_join(path, names.items[i]) : NULL;
        if (file)
            code = read_file(file, "certificates", r, err);
        else if (is_cert_name(names.items[i]))
            code = wci_err_nomem(err);
        wci_free(file);
    }
    wci_strv_free(&names);
    return code;
}

int32_t wci_certs_load(const char *path, wci_certs *certs, wc_error **err)
{
    const reader r = {.parse = parse_certs, .certs = certs};
    size_t before = wci_certs_count(certs);
    wci_file_info info;
    int is_directory = !wci_file_info_of(path, &info, NULL) && info.type == WCI_FILE_DIRECTORY;
    int32_t code = is_directory ? load_directory(path, &r, err) : read_file(path, "certificates", &r, err);
    if (!code && wci_certs_count(certs) == before)
        code = wci_err(err, WC_E_NOT_FOUND, "certificates '%s': no *.pem, *.crt or *.cer in it", path);
    return code;
}
