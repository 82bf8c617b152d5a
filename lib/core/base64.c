/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base64.h"

#include <stdint.h>
#include <string.h>

#include "core/alloc.h"
#include "core/secret.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *wci_base64_encode(const void *data, size_t size)
{
    const unsigned char *in = data;
    char *out = wci_malloc((size + 2) / 3 * 4 + 1), *p = out;
    if (!out)
        return NULL;
    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        uint32_t v = (uint32_t)in[i] << 16 | (left > 1 ? (uint32_t)in[i + 1] << 8 : 0) |
                     (left > 2 ? in[i + 2] : 0);
        *p++ = alphabet[v >> 18];
        *p++ = alphabet[v >> 12 & 63];
        *p++ = left > 1 ? alphabet[v >> 6 & 63] : '=';
        *p++ = left > 2 ? alphabet[v & 63] : '=';
    }
    *p = '\0';
    return out;
}

/* Writes the decoded bytes; 0 when malformed. */
static int decode(const char *text, char *out, size_t *size)
{
    uint32_t bits = 0;
    int count = 0, padding = 0;
    size_t n = 0;
    for (; *text; text++) {
        if (*text == '\n' || *text == '\r')
            continue;
        if (*text == '=') {
            padding++;
            continue;
        }
        const char *at = strchr(alphabet, *text);
        if (!at || padding)
            return 0;
        bits = bits << 6 | (uint32_t)(at - alphabet);
        if (++count % 4 == 0) {
            out[n++] = (char)(bits >> 16);
            out[n++] = (char)(bits >> 8);
            out[n++] = (char)bits;
        }
    }
    if (count % 4 == 1 || padding > 2 || (padding && (count + padding) % 4))
        return 0;
    if (count % 4 == 2)
        out[n++] = (char)(bits >> 4);
    if (count % 4 == 3) {
        out[n++] = (char)(bits >> 10);
        out[n++] = (char)(bits >> 2);
    }
    out[n] = '\0';
    *size = n;
    return 1;
}

char *wci_base64_decode(const char *text, size_t *size)
{
    size_t room = strlen(text) / 4 * 3 + 4;
    char *out = wci_malloc(room);
    if (out && decode(text, out, size))
        return out;
    if (out)
        wci_wipe(out, room); /* it may be half a secret */
    wci_free(out);
    return NULL;
}
