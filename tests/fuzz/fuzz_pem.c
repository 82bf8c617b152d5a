/* SPDX-License-Identifier: Apache-2.0 */
/* Key files and certificates: whatever is accepted as a key can be written and is read again as the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "image/trust/key_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int condition)
{
    if (!condition)
        abort();
}

static void check_same(wci_key *key)
{
    wc_buf *once = NULL, *twice = NULL;
    wci_key *again = NULL;
    must(!wci_public_key_write(key, &once, NULL));
    must(!wci_public_key_parse(wc_buf_data(once), wc_buf_size(once), "key", &again, NULL));
    must(!wci_public_key_write(again, &twice, NULL));
    must(!strcmp(wc_buf_data(once), wc_buf_data(twice)));
    must(!wci_key_verify(again, &(wci_scheme){256, 0, 0}, "x", 1, "y", 1));
    wc_buf_unref(once);
    wc_buf_unref(twice);
    wci_key_free(again);
    wci_key_free(key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    wci_key *key = NULL;
    wci_certs *certs = NULL;
    if (size > 1 << 16)
        return 0;
    if (!wci_public_key_parse(text, size, "key", &key, NULL))
        check_same(key);
    if (!wci_private_key_parse(text, size, "key", "secret", &key, NULL))
        check_same(key);
    must(!wci_certs_new(&certs, NULL));
    (void)wci_certs_parse(text, size, "certs", certs, NULL);
    wci_certs_free(certs);
    return 0;
}
