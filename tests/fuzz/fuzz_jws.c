/* SPDX-License-Identifier: Apache-2.0 */
/* Notary Project's envelopes: nothing is trusted by nobody, and what is signed is read only as far as it goes. */
#include <stdint.h>
#include <stdlib.h>

#include "image/trust/jws.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wci_jws *jws = NULL;
    wci_certs *nobody = NULL;
    wci_digest digest;
    wci_strv subject = WCI_STRV_INIT;
    int64_t length;
    if (wci_jws_parse((const char *)data, size, &jws, NULL))
        return 0;
    if (wci_certs_new(&nobody, NULL) || !wci_jws_verify(jws, nobody, (int64_t)1 << 60, NULL))
        abort();
    (void)wci_jws_verify(jws, jws->chain, (int64_t)1739050000 * 1000000000, NULL);
    (void)wci_certs_subject(jws->chain, &subject, NULL);
    (void)wci_jws_target(jws, &digest, &length, NULL);
    wci_strv_free(&subject);
    wci_certs_free(nobody);
    wci_jws_free(jws);
    return 0;
}
