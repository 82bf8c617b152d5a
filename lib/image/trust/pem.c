/* SPDX-License-Identifier: Apache-2.0 */
#include "image/trust/pem.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/base64.h"

#define BEGIN "-----BEGIN "
#define END "-----END "
#define DASHES "-----"
#define LINE 64

typedef struct line {
    const char *text;
    size_t size; /* without its end and the spaces before it */
} line;

static int next_line(const char **at, const char *end, line *out)
{
    if (*at >= end)
        return 0;
    const char *stop = memchr(*at, '\n', (size_t)(end - *at));
    out->text = *at;
    out->size = (size_t)((stop ? stop : end) - *at);
    *at = stop ? stop + 1 : end;
    while (out->size && strchr(" \t\r", out->text[out->size - 1]) && out->text[out->size - 1])
        out->size--;
    return 1;
}

/* "-----BEGIN LABEL-----": the label, or 0. */
static int read_label(const line *l, const char *before, char label[WCI_PEM_LABEL_SIZE])
{
    size_t head = strlen(before), tail = strlen(DASHES);
    if (l->size <= head + tail || memcmp(l->text, before, head) || memcmp(l->text + l->size - tail, DASHES, tail))
        return 0;
    size_t n = l->size - head - tail;
    if (n >= WCI_PEM_LABEL_SIZE)
        return 0;
    memcpy(label, l->text + head, n);
    label[n] = '\0';
    return 1;
}

static int32_t malformed(const char *label, const char *why, wc_error **err)
{
    char shown[WCI_SHOWN_SIZE];
    wci_show(label, shown);
    return wci_err(err, WC_E_FORMAT, "not valid PEM: '%s': %s", shown, why);
}

/* Appends the lines up to the end line, which must name the same label. */
static int32_t collect(const char **at, const char *end, const char *label, wci_secret *body, wc_error **err)
{
    char ended[WCI_PEM_LABEL_SIZE];
    line l;
    body->size = 0;
    while (next_line(at, end, &l)) {
        if (read_label(&l, END, ended))
            return strcmp(ended, label) ? malformed(label, "it ends as another", err) : WC_OK;
        if (memchr(l.text, ':', l.size))
            return wci_err(err, WC_E_UNSUPPORTED,
                           "'%s' has headers, as OpenSSL's old encryption writes them; write it anew with 'openssl pkcs8 "
                           "-topk8'",
                           label);
        memcpy(body->data + body->size, l.text, l.size);
        body->size += l.size;
    }
    return malformed(label, "it has no end", err);
}

static int32_t decode(const char *label, const char *text, wci_secret *out, wc_error **err)
{
    size_t size = 0;
    char *data = wci_base64_decode(text, &size);
    if (!data)
        return malformed(label, "it is not base64", err);
    *out = (wci_secret){data, size};
    return WC_OK;
}

static int32_t read_block(const char **at, const char *end, wci_pem *block, wc_error **err)
{
    wci_secret body = WCI_SECRET_INIT;
    size_t room = (size_t)(end - *at);
    int32_t code = wci_secret_make(room, &body, err);
    if (code)
        return code;
    code = collect(at, end, block->label, &body, err);
    if (!code && strlen(body.data) != body.size)
        code = malformed(block->label, "it is not base64", err);
    if (!code)
        code = decode(block->label, body.data, &block->data, err);
    body.size = room;
    wci_secret_clear(&body);
    return code;
}

int32_t wci_pem_next(const char **at, const char *end, wci_pem *out, wc_error **err)
{
    wci_pem block = WCI_PEM_INIT;
    line l;
    while (next_line(at, end, &l)) {
        if (!read_label(&l, BEGIN, block.label))
            continue;
        int32_t code = read_block(at, end, &block, err);
        if (!code)
            *out = block;
        return code;
    }
    return wci_err(err, WC_E_NOT_FOUND, "there is no PEM in it");
}

void wci_pem_clear(wci_pem *block)
{
    wci_secret_clear(&block->data);
}

void wci_pem_write(wci_str *out, const char *label, const void *data, size_t size)
{
    char *text = wci_base64_encode(data, size);
    if (!text) {
        out->failed = 1;
        return;
    }
    wci_str_printf(out, BEGIN "%s" DASHES "\n", label);
    for (size_t at = 0, length = strlen(text); at < length; at += LINE)
        wci_str_printf(out, "%.*s\n", LINE, text + at);
    wci_str_printf(out, END "%s" DASHES "\n", label);
    wci_free(text);
}
