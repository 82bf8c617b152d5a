/* SPDX-License-Identifier: Apache-2.0 */
/* WWW-Authenticate, RFC 9110 sections 11.2, 11.6.1 and 5.6. Servers in the field leave commas out
 * between parameters; that is accepted, as it can be read in one way only. */
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "registry/registry.h"

#define MAX_HEADER ((size_t)16 * 1024)

typedef struct scanner {
    const char *at, *end;
} scanner;

static int is_token_char(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

static int is_token68_char(unsigned char c)
{
    return is_token_char(c) || c == '/' || c == '=';
}

static void skip(scanner *s, const char *set)
{
    while (s->at < s->end && *s->at && strchr(set, *s->at))
        s->at++;
}

static size_t token_length(const scanner *s, int (*belongs)(unsigned char))
{
    size_t n = 0;
    while (s->at + n < s->end && belongs((unsigned char)s->at[n]))
        n++;
    return n;
}

static int32_t malformed(wc_error **err, const char *why)
{
    return wci_err(err, WC_E_FORMAT, "challenge of the registry: %s", why);
}

/* "token =": 1 when a parameter stands here. */
static int at_parameter(const scanner *s)
{
    scanner ahead = *s;
    size_t n = token_length(&ahead, is_token_char);
    ahead.at += n;
    skip(&ahead, " \t");
    if (!n || ahead.at >= ahead.end || *ahead.at != '=')
        return 0;
    /* "abc=" and "abc==" are token68, credentials without a name */
    ahead.at++;
    skip(&ahead, " \t");
    return ahead.at < ahead.end && *ahead.at != '=' && *ahead.at != ',';
}

static int32_t quoted(scanner *s, wci_str *out, wc_error **err)
{
    for (s->at++; s->at < s->end && *s->at != '"'; s->at++) {
        if (*s->at == '\\' && s->at + 1 < s->end)
            s->at++;
        wci_str_append_c(out, *s->at);
    }
    if (s->at == s->end)
        return malformed(err, "a quoted text does not end");
    s->at++;
    return WC_OK;
}

static int32_t value(scanner *s, char **out, wc_error **err)
{
    wci_str text = WCI_STR_INIT;
    if (*s->at == '"') {
        int32_t code = quoted(s, &text, err);
        if (code) {
            wci_str_free(&text);
            return code;
        }
    } else {
        /* Not only token characters: unquoted URLs are seen as realms. */
        size_t n = strcspn(s->at, ", \t\"");
        wci_str_append_n(&text, s->at, n);
        s->at += n;
    }
    char *taken = wci_str_take(&text);
    if (!taken)
        return wci_err_nomem(err);
    *out = taken;
    return WC_OK;
}

static char **slot(wci_challenge *c, const char *name)
{
    if (!wci_strcasecmp(name, "realm"))
        return &c->realm;
    if (!wci_strcasecmp(name, "service"))
        return &c->service;
    if (!wci_strcasecmp(name, "scope"))
        return &c->scope;
    return wci_strcasecmp(name, "error") ? NULL : &c->error;
}

static int32_t parameter(scanner *s, wci_challenge *c, wc_error **err)
{
    size_t n = token_length(s, is_token_char);
    char *name = wci_strndup(s->at, n), *text = NULL;
    if (!name)
        return wci_err_nomem(err);
    s->at += n;
    skip(s, " \t=");
    int32_t code = value(s, &text, err);
    char **to = code ? NULL : slot(c, name);
    if (to && !*to) {
        *to = text;
        text = NULL;
    }
    wci_free(text);
    wci_free(name);
    return code;
}

static void skip_token68(scanner *s)
{
    size_t n = token_length(s, is_token68_char);
    scanner after = {s->at + n, s->end};
    skip(&after, " \t");
    if (after.at == after.end || *after.at == ',')
        s->at = after.at;
}

static int32_t challenge(scanner *s, wci_challenge *c, wc_error **err)
{
    size_t n = token_length(s, is_token_char);
    if (!n)
        return malformed(err, "no scheme");
    c->scheme = wci_strndup(s->at, n);
    if (!c->scheme)
        return wci_err_nomem(err);
    for (char *p = c->scheme; *p; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p + ('a' - 'A'));
    s->at += n;
    if (s->at < s->end && *s->at != ' ' && *s->at != '\t' && *s->at != ',')
        return malformed(err, "no scheme");
    skip(s, " \t");
    if (!at_parameter(s))
        skip_token68(s);
    skip(s, " \t,");
    while (at_parameter(s)) {
        int32_t code = parameter(s, c, err);
        if (code)
            return code;
        skip(s, " \t,");
    }
    return WC_OK;
}

static int32_t parse(const char *text, size_t size, wci_challenge **list, size_t *count,
                     wc_error **err)
{
    scanner s = {text, text + size};
    size_t cap = 0;
    for (skip(&s, " \t,"); s.at < s.end; skip(&s, " \t,")) {
        if (!wci_grow(list, &cap, *count + 1, sizeof **list))
            return wci_err_nomem(err);
        wci_challenge *c = &(*list)[(*count)++];
        *c = (wci_challenge){NULL, NULL, NULL, NULL, NULL};
        int32_t code = challenge(&s, c, err);
        if (code)
            return code;
    }
    return *count ? WC_OK : malformed(err, "no scheme");
}

int32_t wci_challenges_parse(const char *header, size_t size, wci_challenge **out, size_t *count,
                             wc_error **err)
{
    if (size > MAX_HEADER)
        return malformed(err, "longer than 16 KiB");
    for (size_t i = 0; i < size; i++)
        if (((unsigned char)header[i] < 0x20 && header[i] != '\t') || header[i] == 0x7f)
            return malformed(err, "control character");
    char *text = wci_strndup(header, size);
    if (!text)
        return wci_err_nomem(err);
    wci_challenge *list = NULL;
    size_t n = 0;
    int32_t code = parse(text, size, &list, &n, err);
    wci_free(text);
    if (code) {
        wci_challenges_free(list, n);
        return code;
    }
    *out = list;
    *count = n;
    return WC_OK;
}

void wci_challenges_free(wci_challenge *challenges, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        wci_free(challenges[i].scheme);
        wci_free(challenges[i].realm);
        wci_free(challenges[i].service);
        wci_free(challenges[i].scope);
        wci_free(challenges[i].error);
    }
    wci_free(challenges);
}
