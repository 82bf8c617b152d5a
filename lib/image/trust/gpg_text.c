/* SPDX-License-Identifier: Apache-2.0 */
/* What gpgv says, and keys as people keep them. */
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "image/trust/gpg.h"
#include "core/base64.h"

#define ARMOUR "-----BEGIN PGP PUBLIC KEY BLOCK-----"
#define ARMOUR_END "-----END PGP PUBLIC KEY BLOCK-----"
#define STATUS "[GNUPG:] "

/* ---- Armour --------------------------------------------------------------------------------------------- */

/* The next line, without its end and the spaces before it; *at is moved behind it. */
static size_t line_at(const char **at, const char **line)
{
    size_t n = strcspn(*at, "\n");
    *line = *at;
    *at += n + ((*at)[n] == '\n');
    while (n && strchr(" \t\r", (*line)[n - 1]))
        n--;
    return n;
}

static int is_line(const char *line, size_t size, const char *text)
{
    return strlen(text) == size && !memcmp(line, text, size);
}

/* Appends one block's base64; 0 when it has no end. The checksum says nothing that gpgv would not find. */
static int take_block(const char **at, wci_str *coded)
{
    const char *line;
    while (**at && line_at(at, &line)) /* headers, up to an empty line */
        ;
    while (**at) {
        size_t n = line_at(at, &line);
        if (is_line(line, n, ARMOUR_END))
            return 1;
        if (n && *line != '=')
            wci_str_append_n(coded, line, n);
    }
    return 0;
}

static int32_t decode_block(const char **at, const char *what, wci_str *out, wc_error **err)
{
    wci_str coded = WCI_STR_INIT;
    size_t size = 0;
    int is_whole = take_block(at, &coded);
    char *bytes = is_whole && coded.data ? wci_base64_decode(coded.data, &size) : NULL;
    wci_str_free(&coded);
    if (!bytes)
        return wci_err(err, WC_E_FORMAT, "%s: its armour is damaged", what);
    wci_str_append_n(out, bytes, size);
    wci_free(bytes);
    return WC_OK;
}

static int32_t decode_all(const char *text, const char *what, wc_buf **out, wc_error **err)
{
    wci_str bytes = WCI_STR_INIT;
    int32_t code = WC_OK;
    while (*text && !code) {
        const char *line;
        size_t n = line_at(&text, &line);
        if (is_line(line, n, ARMOUR))
            code = decode_block(&text, what, &bytes, err);
    }
    if (!code)
        return wci_str_to_buf(&bytes, out, err);
    wci_str_free(&bytes);
    return code;
}

int32_t wci_gpg_dearmor(const char *text, size_t size, const char *what, wc_buf **out, wc_error **err)
{
    if (!size)
        return wci_err(err, WC_E_FORMAT, "%s: it is empty", what);
    char *copy = wci_strndup(text, size); /* ends at the first zero byte, which armour has none of */
    if (!copy)
        return wci_err_nomem(err);
    int32_t code = strlen(copy) == size && strstr(copy, ARMOUR) ? decode_all(copy, what, out, err)
                                                                : wci_buf_new(text, size, out, err);
    wci_free(copy);
    return code;
}

/* ---- Status --------------------------------------------------------------------------------------------- */

typedef struct report {
    int good, valid, plaintexts, signatures;
    const char *against; /* the first word that speaks against it; static */
    const char *fingerprint;
    size_t fingerprint_size;
} report;

static int is_word(const char *line, const char *word)
{
    size_t n = strlen(word);
    return !strncmp(line, word, n) && (line[n] == ' ' || !line[n] || line[n] == '\n' || line[n] == '\r');
}

/* The last word of VALIDSIG is the fingerprint of the primary key. */
static void take_fingerprint(report *r, const char *line, size_t size)
{
    size_t begin = size;
    while (begin && line[begin - 1] != ' ')
        begin--;
    r->fingerprint = line + begin;
    r->fingerprint_size = size - begin;
}

static void read_line(report *r, const char *line, size_t size)
{
    /* Not KEYEXPIRED and KEYREVOKED: they may speak of another part of the key. */
    static const char *const against[] = {"BADSIG", "ERRSIG", "EXPSIG", "EXPKEYSIG", "REVKEYSIG", "NO_PUBKEY", "NODATA",
                                          "UNEXPECTED", "FAILURE", "ERROR"};
    r->good += is_word(line, "GOODSIG");
    r->signatures += is_word(line, "NEWSIG");
    r->plaintexts += is_word(line, "PLAINTEXT");
    if (is_word(line, "VALIDSIG")) {
        r->valid++;
        take_fingerprint(r, line, size);
    }
    for (size_t i = 0; !r->against && i < sizeof against / sizeof *against; i++)
        if (is_word(line, against[i]))
            r->against = against[i];
}

static int32_t judge(const report *r, wc_error **err)
{
    if (r->against && !strcmp(r->against, "NODATA"))
        return wci_err(err, WC_E_UNTRUSTED, "gpgv: it is no OpenPGP message");
    if (r->against && (!strcmp(r->against, "ERRSIG") || !strcmp(r->against, "NO_PUBKEY")))
        return wci_err(err, WC_E_UNTRUSTED, "gpgv: it is by a key that is not in the policy's keyrings");
    if (r->against)
        return wci_err(err, WC_E_UNTRUSTED, "gpgv: %s", r->against);
    if (r->good != 1 || r->valid != 1 || r->plaintexts != 1 || r->signatures > 1 || !r->fingerprint_size)
        return wci_err(err, WC_E_UNTRUSTED, "gpgv: not one good signature of one message");
    return WC_OK;
}

int32_t wci_gpg_read_status(const char *text, char **fingerprint, wc_error **err)
{
    report r = {.good = 0};
    const char *at = text, *line;
    while (*at) {
        size_t n = line_at(&at, &line);
        if (n > strlen(STATUS) && !memcmp(line, STATUS, strlen(STATUS)))
            read_line(&r, line + strlen(STATUS), n - strlen(STATUS));
    }
    int32_t code = judge(&r, err);
    if (code)
        return code;
    *fingerprint = wci_strndup(r.fingerprint, r.fingerprint_size);
    return *fingerprint ? WC_OK : wci_err_nomem(err);
}
