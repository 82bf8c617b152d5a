/* SPDX-License-Identifier: Apache-2.0 */
/* libcurl, loaded on first use. A function that is used and not listed here fails to link. */
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#include <stdarg.h>
#include <stdint.h>

#include "core/error.h"
#include "platform/lazy.h"
#include "platform/posix/lazy_load.h"

#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt

#if LIBCURL_VERSION_NUM >= 0x080000
typedef const CURLU read_url;
#else
typedef CURLU read_url;
#endif

#define FUNCTIONS(WITH_RESULT, WITHOUT)                                                                      \
    WITH_RESULT(CURLcode, curl_global_init, (long flags), (flags))                                           \
    WITH_RESULT(curl_version_info_data *, curl_version_info, (CURLversion version), (version))               \
    WITH_RESULT(time_t, curl_getdate, (const char *text, const time_t *unused), (text, unused))              \
    WITH_RESULT(CURL *, curl_easy_init, (void), ())                                                          \
    WITHOUT(void, curl_easy_cleanup, (CURL * easy), (easy))                                                  \
    WITH_RESULT(const char *, curl_easy_strerror, (CURLcode code), (code))                                   \
    WITH_RESULT(CURLM *, curl_multi_init, (void), ())                                                        \
    WITH_RESULT(CURLMcode, curl_multi_cleanup, (CURLM * multi), (multi))                                     \
    WITH_RESULT(CURLMcode, curl_multi_add_handle, (CURLM * multi, CURL * easy), (multi, easy))               \
    WITH_RESULT(CURLMcode, curl_multi_remove_handle, (CURLM * multi, CURL * easy), (multi, easy))            \
    WITH_RESULT(CURLMcode, curl_multi_perform, (CURLM * multi, int *running), (multi, running))              \
    WITH_RESULT(CURLMsg *, curl_multi_info_read, (CURLM * multi, int *left), (multi, left))                  \
    WITH_RESULT(CURLMcode, curl_multi_poll,                                                                  \
                (CURLM * multi, struct curl_waitfd extra[], unsigned int count, int timeout_ms, int *ready), \
                (multi, extra, count, timeout_ms, ready))                                                    \
    WITH_RESULT(struct curl_slist *, curl_slist_append, (struct curl_slist * list, const char *text),        \
                (list, text))                                                                                \
    WITHOUT(void, curl_slist_free_all, (struct curl_slist * list), (list))                                   \
    WITH_RESULT(CURLU *, curl_url, (void), ())                                                               \
    WITHOUT(void, curl_url_cleanup, (CURLU * url), (url))                                                    \
    WITH_RESULT(CURLUcode, curl_url_get, (read_url * url, CURLUPart what, char **part, unsigned int flags), \
                (url, what, part, flags))                                                                    \
    WITH_RESULT(CURLUcode, curl_url_set, (CURLU * url, CURLUPart what, const char *part, unsigned int flags), \
                (url, what, part, flags))                                                                    \
    WITHOUT(void, curl_free, (void *memory), (memory))

#define VARIADIC(POINTER)                                                             \
    POINTER(CURLcode, curl_easy_setopt, (CURL * easy, CURLoption option, ...), )      \
    POINTER(CURLcode, curl_easy_getinfo, (CURL * easy, CURLINFO info, ...), )         \
    POINTER(CURLMcode, curl_multi_setopt, (CURLM * multi, CURLMoption option, ...), )

FUNCTIONS(WCI_LAZY_POINTER, WCI_LAZY_POINTER)
VARIADIC(WCI_LAZY_POINTER)

FUNCTIONS(WCI_LAZY_FORWARD, WCI_LAZY_FORWARD_VOID)

/* Options come in ranges of 10000 by type: long, pointer, function, curl_off_t, blob. */
enum { RANGE = 10000, OFF_T_RANGE = 3 };

#define FORWARD_OPTION(real, handle, option)                  \
    do {                                                      \
        va_list list;                                         \
        va_start(list, option);                               \
        int result;                                           \
        if (option / RANGE == 0)                              \
            result = real(handle, option, va_arg(list, long)); \
        else if (option / RANGE == OFF_T_RANGE)               \
            result = real(handle, option, va_arg(list, curl_off_t)); \
        else                                                  \
            result = real(handle, option, va_arg(list, void *)); \
        va_end(list);                                         \
        return result;                                        \
    } while (0)

CURLcode curl_easy_setopt(CURL *easy, CURLoption option, ...)
{
    FORWARD_OPTION(real_curl_easy_setopt, easy, option);
}

CURLMcode curl_multi_setopt(CURLM *multi, CURLMoption option, ...)
{
    FORWARD_OPTION(real_curl_multi_setopt, multi, option);
}

CURLcode curl_easy_getinfo(CURL *easy, CURLINFO info, ...)
{
    va_list list;
    va_start(list, info);
    CURLcode code = real_curl_easy_getinfo(easy, info, va_arg(list, void *));
    va_end(list);
    return code;
}

static const wci_lazy_symbol symbols[] = {FUNCTIONS(WCI_LAZY_SYMBOL, WCI_LAZY_SYMBOL) VARIADIC(WCI_LAZY_SYMBOL)};
static const char *const sonames[] = {"libcurl.so.4", "libcurl-gnutls.so.4", "libcurl.4.dylib", NULL};
static wci_lazy_library library = {sonames, symbols, sizeof symbols / sizeof *symbols, "libcurl4", ""};

static void load(void)
{
    wci_lazy_load(&library);
}

int32_t wci_lazy_curl(wc_error **err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return wci_lazy_result(&library, err);
}
