/* SPDX-License-Identifier: Apache-2.0 */
#include "core/secretbox.h"

#include <string.h>

#include "core/error.h"
#include "platform/keys.h"

#define BLOCK 64
#define MAC_KEY 32

/* ---- Salsa20 ---------------------------------------------------------------------------------------- */

static uint32_t load32(const unsigned char *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void store32(unsigned char *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (unsigned char)(v >> (8 * i));
}

static uint32_t rotate(uint32_t v, int by)
{
    return v << by | v >> (32 - by);
}

static void quarter(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
    *b ^= rotate(*a + *d, 7);
    *c ^= rotate(*b + *a, 9);
    *d ^= rotate(*c + *b, 13);
    *a ^= rotate(*d + *c, 18);
}

static void twenty_rounds(uint32_t x[16])
{
    for (int i = 0; i < 10; i++) {
        for (int k = 0; k < 4; k++) /* columns */
            quarter(&x[5 * k], &x[(5 * k + 4) % 16], &x[(5 * k + 8) % 16], &x[(5 * k + 12) % 16]);
        for (int k = 0; k < 4; k++) /* rows */
            quarter(&x[5 * k], &x[4 * k + (k + 1) % 4], &x[4 * k + (k + 2) % 4], &x[4 * k + (k + 3) % 4]);
    }
}

/* `input` is 16 bytes: a nonce and a counter, or the first part of a long nonce. */
static void fill(uint32_t x[16], const unsigned char *key, const unsigned char *input)
{
    static const unsigned char sigma[] = "expand 32-byte k";
    for (int i = 0; i < 4; i++) {
        x[5 * i] = load32(sigma + 4 * i);
        x[1 + i] = load32(key + 4 * i);
        x[6 + i] = load32(input + 4 * i);
        x[11 + i] = load32(key + 16 + 4 * i);
    }
}

static void salsa20_block(const unsigned char *key, const unsigned char *input, unsigned char out[BLOCK])
{
    uint32_t x[16], start[16];
    fill(start, key, input);
    memcpy(x, start, sizeof x);
    twenty_rounds(x);
    for (int i = 0; i < 16; i++)
        store32(out + 4 * i, x[i] + start[i]);
    wci_wipe(x, sizeof x);
    wci_wipe(start, sizeof start);
}

static void hsalsa20(const unsigned char *key, const unsigned char *input, unsigned char out[WCI_SECRETBOX_KEY])
{
    static const int taken[] = {0, 5, 10, 15, 6, 7, 8, 9};
    uint32_t x[16];
    fill(x, key, input);
    twenty_rounds(x);
    for (int i = 0; i < 8; i++)
        store32(out + 4 * i, x[taken[i]]);
    wci_wipe(x, sizeof x);
}

/* ---- XSalsa20 --------------------------------------------------------------------------------------- */

typedef struct stream {
    unsigned char key[WCI_SECRETBOX_KEY];
    unsigned char input[16]; /* the rest of the nonce, then a counter of blocks */
    unsigned char block[BLOCK];
    size_t used;
} stream;

static void next_block(stream *s)
{
    salsa20_block(s->key, s->input, s->block);
    for (int i = 8; i < 16 && !++s->input[i]; i++)
        ;
    s->used = 0;
}

/* The first bytes of the stream are the key of the tag. */
static void begin(stream *s, const unsigned char *key, const unsigned char *nonce, unsigned char mac_key[MAC_KEY])
{
    memset(s, 0, sizeof *s);
    hsalsa20(key, nonce, s->key);
    memcpy(s->input, nonce + 16, 8);
    next_block(s);
    memcpy(mac_key, s->block, MAC_KEY);
    s->used = MAC_KEY;
}

static void mix(stream *s, const unsigned char *from, unsigned char *to, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (s->used == BLOCK)
            next_block(s);
        to[i] = from[i] ^ s->block[s->used++];
    }
}

/* ---- Boxes ------------------------------------------------------------------------------------------ */

int32_t wci_secretbox_seal(const unsigned char *key, const unsigned char *nonce, const void *data, size_t size,
                           unsigned char *box, wc_error **err)
{
    stream s;
    unsigned char mac_key[MAC_KEY];
    begin(&s, key, nonce, mac_key);
    mix(&s, data, box + WCI_SECRETBOX_TAG, size);
    int32_t code = wci_poly1305(mac_key, box + WCI_SECRETBOX_TAG, size, box, err);
    wci_wipe(&s, sizeof s);
    wci_wipe(mac_key, sizeof mac_key);
    return code;
}

/* In a time that does not tell where they differ. */
static int equal_tags(const unsigned char *a, const unsigned char *b)
{
    unsigned char differs = 0;
    for (int i = 0; i < WCI_SECRETBOX_TAG; i++)
        differs |= a[i] ^ b[i];
    return !differs;
}

static int32_t check_tag(const unsigned char mac_key[MAC_KEY], const unsigned char *box, size_t size, wc_error **err)
{
    unsigned char tag[WCI_SECRETBOX_TAG];
    int32_t code = wci_poly1305(mac_key, box + WCI_SECRETBOX_TAG, size - WCI_SECRETBOX_TAG, tag, err);
    if (!code && !equal_tags(tag, box))
        code = wci_err(err, WC_E_AUTH, "the passphrase does not open it");
    return code;
}

int32_t wci_secretbox_open(const unsigned char *key, const unsigned char *nonce, const unsigned char *box, size_t size,
                           wci_secret *out, wc_error **err)
{
    stream s;
    unsigned char mac_key[MAC_KEY];
    if (size < WCI_SECRETBOX_TAG)
        return wci_err(err, WC_E_FORMAT, "an encrypted box of %zu bytes", size);
    begin(&s, key, nonce, mac_key);
    int32_t code = check_tag(mac_key, box, size, err);
    if (!code)
        code = wci_secret_make(size - WCI_SECRETBOX_TAG, out, err);
    if (!code)
        mix(&s, box + WCI_SECRETBOX_TAG, (unsigned char *)out->data, out->size);
    wci_wipe(&s, sizeof s);
    wci_wipe(mac_key, sizeof mac_key);
    return code;
}
