/* SPDX-License-Identifier: Apache-2.0 */
/* What netavark prints: the first byte tells how it ended, then its answer up to a zero byte, then its complaint. The same
 * bytes as an answer of slirp4netns, as a record of a network, which a damaged store may have, and as a subnet. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "backend/process/netavark_answer.h"
#include "backend/process/slirp_answer.h"
#include "core/alloc.h"
#include "network/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_words(const wc_error *err)
{
    for (const char *p = err ? wc_error_message(err) : ""; *p; p++)
        if ((unsigned char)*p < ' ')
            abort();
}

static void try_answer(int failed, const char *text, size_t size)
{
    wc_error *err = NULL;
    size_t answer = strnlen(text, size);
    const char *complaint = answer < size ? text + answer + 1 : "";
    int32_t rc = wci_netavark_answer(failed, text, answer, complaint, &err);
    if ((rc == WC_OK) != (err == NULL) || (failed && !rc))
        abort();
    check_words(err);
    wc_error_unref(err);
}

static void try_slirp(const char *text, size_t size)
{
    wc_error *err = NULL;
    int32_t rc = wci_slirp_answer(text, size, &err);
    if ((rc == WC_OK) != (err == NULL))
        abort();
    check_words(err);
    wc_error_unref(err);
}

/* What is read is written and read again. */
static void try_settings(const char *text)
{
    wci_network_settings s, again;
    wc_error *err = NULL;
    if (wci_network_settings_from_json(text, &s, &err)) {
        wc_error_unref(err);
        return;
    }
    char *written = wci_network_settings_to_json(&s);
    if (!written || wci_network_settings_from_json(written, &again, NULL) || again.subnet_count != s.subnet_count)
        abort();
    wci_free(written);
    wci_network_settings_free(&s);
    wci_network_settings_free(&again);
}

static void try_subnet(const char *text)
{
    wci_subnet s, again;
    char written[WCI_SUBNET_SIZE];
    wci_ip last;
    if (!wci_subnet_parse(text, &s))
        return;
    wci_subnet_format(&s, written);
    wci_subnet_last(&s, &last);
    if (!wci_subnet_parse(written, &again) || again.bits != s.bits || !wci_subnet_overlaps(&s, &again) ||
        !wci_subnet_contains(&s, &last))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    if (size)
        memcpy(text, data, size);
    text[size] = '\0';
    if (size)
        try_answer(text[0] & 1, text + 1, size - 1);
    try_slirp(text, size);
    try_settings(text);
    try_subnet(text);
    free(text);
    return 0;
}
