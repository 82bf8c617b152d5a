/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/posix/openssl.h"

#include <openssl/crypto.h>
#include <pthread.h>

#include "platform/aside.h"
#include "platform/lazy.h"

static void load(void *arg)
{
    (void)arg;
    OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL);
}

static void prepare(void)
{
    wci_aside *aside = NULL;
    if (wci_aside_new(WCI_FD_NONE, &aside, NULL))
        return; /* the first use will do it */
    wci_aside_run(aside, load, NULL);
    wci_aside_free(aside);
}

/* OpenSSL reads its configuration at the first use, through a file that children would inherit. */
int32_t wci_openssl_prepare(wc_error **err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    int32_t rc = wci_lazy_crypto(err);
    if (!rc)
        pthread_once(&once, prepare);
    return rc;
}
