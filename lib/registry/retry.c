/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/retry.h"

#include <curl/curl.h>

#include "core/str.h"
#include "platform/host.h"
#include "platform/lazy.h"

#define FIRST_MS 200
#define LONGEST_MS 10000
#define LONGEST_ASKED_MS 60000

int wci_retry_status(long status)
{
    return status == 408 || status == 429 || status == 500 || (status >= 502 && status <= 504);
}

int64_t wci_retry_backoff_ms(uint32_t attempt)
{
    int64_t ms = attempt < 10 ? (int64_t)FIRST_MS << attempt : LONGEST_MS;
    if (ms > LONGEST_MS)
        ms = LONGEST_MS;
    uint32_t jitter = 0;
    if (wci_random_bytes(&jitter, sizeof jitter, NULL))
        jitter = (uint32_t)wci_monotonic_ns();
    return ms / 2 + (int64_t)(jitter % (uint64_t)(ms / 2 + 1));
}

int64_t wci_retry_after_ms(const char *value, int64_t now_ns)
{
    uint64_t seconds;
    int64_t ms;
    if (!value)
        return -1;
    if (wci_parse_u64(value, UINT64_MAX, &seconds)) {
        ms = seconds > LONGEST_ASKED_MS ? LONGEST_ASKED_MS : (int64_t)seconds * 1000;
    } else {
        /* curl reads a date into almost anything; HTTP dates end so. */
        int readable = wci_ends_with(value, " GMT") && !wci_lazy_curl(NULL);
        int64_t date = readable ? (int64_t)curl_getdate(value, NULL) : -1;
        int64_t now = now_ns / 1000000000;
        if (date < 0 || date <= now)
            return -1;
        ms = date - now > LONGEST_ASKED_MS ? LONGEST_ASKED_MS : (date - now) * 1000;
    }
    return ms > LONGEST_ASKED_MS ? LONGEST_ASKED_MS : ms;
}
