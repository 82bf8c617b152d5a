/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/url.h"

#include <curl/curl.h>
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "platform/lazy.h"

#define MAX_URL ((size_t)16 * 1024)

static char *take_part(CURLU *u, CURLUPart part, unsigned flags)
{
    char *text = NULL;
    if (curl_url_get(u, part, &text, flags))
        return NULL;
    char *own = wci_strdup(text);
    curl_free(text);
    return own;
}

static void take_parts(CURLU *u, wci_url *out)
{
    curl_url_set(u, CURLUPART_FRAGMENT, NULL, 0);
    out->text = take_part(u, CURLUPART_URL, 0);
    out->host = take_part(u, CURLUPART_HOST, 0);
    char *port = take_part(u, CURLUPART_PORT, CURLU_DEFAULT_PORT);
    char *scheme = take_part(u, CURLUPART_SCHEME, 0);
    uint64_t number = 0;
    if (port && wci_parse_u64(port, UINT16_MAX, &number))
        out->port = (uint16_t)number;
    out->plain = wci_streq(scheme, "http");
    wci_free(port);
    wci_free(scheme);
    curl_url_set(u, CURLUPART_QUERY, NULL, 0);
    out->shown = take_part(u, CURLUPART_URL, 0);
}

static int is_http(CURLU *u)
{
    char *scheme = NULL;
    if (curl_url_get(u, CURLUPART_SCHEME, &scheme, 0))
        return 0;
    int yes = !strcmp(scheme, "http") || !strcmp(scheme, "https");
    curl_free(scheme);
    return yes;
}

int32_t wci_url_parse(const char *text, const wci_url *base, wci_url *out, wc_error **err)
{
    if (strlen(text) > MAX_URL)
        return wci_err(err, WC_E_FORMAT, "url: longer than 16 KiB");
    int32_t missing = wci_lazy_curl(err);
    if (missing)
        return missing;
    CURLU *u = curl_url();
    if (!u)
        return wci_err_nomem(err);
    CURLUcode code = base ? curl_url_set(u, CURLUPART_URL, base->text, 0) : CURLUE_OK;
    if (!code)
        code = curl_url_set(u, CURLUPART_URL, text, CURLU_DISALLOW_USER | CURLU_NON_SUPPORT_SCHEME);
    int acceptable = !code && is_http(u);
    wci_url url = WCI_URL_INIT;
    if (acceptable)
        take_parts(u, &url);
    curl_url_cleanup(u);
    if (!acceptable)
        return wci_err(err, code == CURLUE_OUT_OF_MEMORY ? WC_E_NOMEM : WC_E_FORMAT,
                       "url: not an http or https address without a user name");
    if (!url.text || !url.host || !url.shown) {
        wci_url_free(&url);
        return wci_err_nomem(err);
    }
    wci_url_free(out);
    *out = url;
    return WC_OK;
}

void wci_url_free(wci_url *url)
{
    wci_free(url->text);
    wci_free(url->host);
    wci_free(url->shown);
    *url = (wci_url)WCI_URL_INIT;
}

int wci_url_same_origin(const wci_url *a, const wci_url *b)
{
    return a->plain == b->plain && a->port == b->port && !wci_strcasecmp(a->host, b->host);
}

static int is_unreserved(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("-._~:/,", c));
}

static void add_pair(wci_str *to, const char *name, const char *value)
{
    wci_str_append(to, name);
    wci_str_append_c(to, '=');
    for (const unsigned char *p = (const unsigned char *)value; *p; p++) {
        if (is_unreserved(*p))
            wci_str_append_c(to, (char)*p);
        else
            wci_str_printf(to, "%%%02X", *p);
    }
}

void wci_url_add_query(wci_str *url, const char *name, const char *value)
{
    wci_str_append_c(url, url->data && strchr(url->data, '?') ? '&' : '?');
    add_pair(url, name, value);
}

void wci_form_add(wci_str *form, const char *name, const char *value)
{
    if (form->size)
        wci_str_append_c(form, '&');
    add_pair(form, name, value);
}
