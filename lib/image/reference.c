/* SPDX-License-Identifier: Apache-2.0 */
#include "image/reference.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/str.h"
#include "registry/registries.h"

#define DEFAULT_HOST "docker.io"
#define DEFAULT_NAMESPACE "library/"
#define DEFAULT_TAG "latest"
#define MAX_REPOSITORY 255
#define MAX_HOST 255
#define MAX_TAG 128

static int is_lower_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int is_alnum(char c)
{
    return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z');
}

static int32_t invalid(const char *text, const char *why, wc_error **err)
{
    return wci_err(err, WC_E_INVALID, "image name '%.300s': %s", text, why);
}

/* ---- The parts -------------------------------------------------------------------------------- */

int wci_tag_is_valid(const char *tag)
{
    size_t n = 0;
    if (!is_alnum(*tag) && *tag != '_')
        return 0;
    while (is_alnum(tag[n]) || (tag[n] && strchr("_.-", tag[n])))
        n++;
    return !tag[n] && n <= MAX_TAG;
}

/* Between runs of letters and digits: one dot, one or two underscores, or any number of dashes. */
static size_t separator_length(const char *s)
{
    if (*s == '.')
        return 1;
    if (*s == '_')
        return s[1] == '_' ? 2 : 1;
    return strspn(s, "-");
}

static int is_repository(const char *s)
{
    if (strlen(s) > MAX_REPOSITORY)
        return 0;
    for (;;) {
        if (!is_lower_or_digit(*s))
            return 0;
        while (is_lower_or_digit(*s))
            s++;
        if (!*s)
            return 1;
        size_t n = *s == '/' ? 1 : separator_length(s);
        if (!n)
            return 0;
        s += n;
    }
}

static int is_port(const char *s)
{
    uint64_t port;
    return wci_parse_u64(s, 65535, &port);
}

/* "[" IPv6 "]"; the length, or 0 */
static size_t ipv6_length(const char *s)
{
    size_t n = 1;
    while (is_digit(s[n]) || (s[n] >= 'a' && s[n] <= 'f') || (s[n] >= 'A' && s[n] <= 'F') ||
           s[n] == ':')
        n++;
    return n > 2 && s[n] == ']' ? n + 1 : 0;
}

/* Labels of letters, digits and inner dashes, joined by dots; the length, or 0 */
static size_t name_length(const char *s)
{
    size_t n = 0;
    for (;;) {
        if (!is_alnum(s[n]))
            return 0;
        while (is_alnum(s[n]) || s[n] == '-')
            n++;
        if (s[n - 1] == '-')
            return 0;
        if (s[n] != '.')
            return n;
        n++;
    }
}

static int is_host(const char *s)
{
    if (strlen(s) > MAX_HOST)
        return 0;
    size_t n = *s == '[' ? ipv6_length(s) : name_length(s);
    if (!n)
        return 0;
    return !s[n] || (s[n] == ':' && is_port(s + n + 1));
}

static int is_hex_id(const char *s)
{
    size_t n = 0;
    while (is_digit(s[n]) || (s[n] >= 'a' && s[n] <= 'f'))
        n++;
    return n == 64 && !s[n];
}

/* ---- Parsing ---------------------------------------------------------------------------------- */

/* Cuts "@digest" off. */
static int32_t take_digest(const char *text, char *rest, wci_reference *ref, wc_error **err)
{
    char *at = strchr(rest, '@');
    if (!at)
        return WC_OK;
    *at = '\0';
    if (wci_digest_parse(at + 1, &ref->digest, NULL))
        return invalid(text, "what follows '@' is not a digest like sha256:… with all its digits",
                       err);
    return WC_OK;
}

/* Cuts ":tag" off: the colon after the last slash, unless it is the host's. */
static int32_t take_tag(const char *text, char *rest, wci_reference *ref, wc_error **err)
{
    char *slash = strrchr(rest, '/');
    char *colon = strchr(slash ? slash : rest, ':');
    if (!colon)
        return WC_OK;
    *colon = '\0';
    if (!wci_tag_is_valid(colon + 1))
        return invalid(text,
                       "the tag must be letters, digits, '_', '.' and '-', not begin with '.' or "
                       "'-', and have at most 128 characters",
                       err);
    ref->tag = wci_strdup(colon + 1);
    return ref->tag ? WC_OK : wci_err_nomem(err);
}

static int32_t take_host(char *rest, char **path, wci_reference *ref, wc_error **err)
{
    char *slash = strchr(rest, '/');
    const char *host = DEFAULT_HOST;
    *path = rest;
    if (slash) {
        *slash = '\0';
        if (wci_is_host_part(rest, strlen(rest))) {
            host = strcmp(rest, "index.docker.io") ? rest : DEFAULT_HOST;
            *path = slash + 1;
        } else {
            *slash = '/';
        }
    }
    ref->host = wci_strdup(host);
    return ref->host ? WC_OK : wci_err_nomem(err);
}

static int32_t take_repository(const char *path, wci_reference *ref, wc_error **err)
{
    int official = !strcmp(ref->host, DEFAULT_HOST) && !strchr(path, '/');
    ref->repository = wci_asprintf("%s%s", official ? DEFAULT_NAMESPACE : "", path);
    return ref->repository ? WC_OK : wci_err_nomem(err);
}

static int has_capital(const char *s)
{
    for (; *s; s++)
        if (*s >= 'A' && *s <= 'Z')
            return 1;
    return 0;
}

static int32_t check_names(const char *text, const wci_reference *ref, wc_error **err)
{
    if (!is_host(ref->host))
        return invalid(text, "the part before the first '/' is not a host name with an optional port",
                       err);
    if (has_capital(ref->repository))
        return invalid(text, "the repository must be in lower case", err);
    if (strlen(ref->repository) > MAX_REPOSITORY)
        return invalid(text, "the repository has more than 255 characters", err);
    if (!is_repository(ref->repository))
        return invalid(text,
                       "the repository must be lower-case letters and digits, with single '.', '_', "
                       "'__' or dashes between them, in parts joined by '/'",
                       err);
    return WC_OK;
}

static int32_t parse(const char *text, char *rest, wci_reference *ref, wc_error **err)
{
    char *path;
    if (is_hex_id(text))
        return invalid(text, "64 hexadecimal digits are an image ID, not a name", err);
    int32_t code = take_digest(text, rest, ref, err);
    if (!code)
        code = take_tag(text, rest, ref, err);
    if (!code)
        code = take_host(rest, &path, ref, err);
    if (!code)
        code = take_repository(path, ref, err);
    if (!code)
        code = check_names(text, ref, err);
    return code;
}

int32_t wci_reference_parse(const char *text, wci_reference *out, wc_error **err)
{
    if (!*text)
        return wci_err(err, WC_E_INVALID, "image name: empty");
    if (!wci_is_utf8(text, strlen(text)))
        return wci_err(err, WC_E_INVALID, "image name: not UTF-8");
    char *rest = wci_strdup(text);
    if (!rest)
        return wci_err_nomem(err);
    wci_reference ref = WCI_REFERENCE_INIT;
    int32_t code = parse(text, rest, &ref, err);
    wci_free(rest);
    if (code) {
        wci_reference_free(&ref);
        return code;
    }
    *out = ref;
    return WC_OK;
}

void wci_reference_free(wci_reference *ref)
{
    wci_free(ref->host);
    wci_free(ref->repository);
    wci_free(ref->tag);
    *ref = (wci_reference)WCI_REFERENCE_INIT;
}

/* ---- Printing --------------------------------------------------------------------------------- */

static char *join(const wci_reference *ref, const char *host, const char *repository)
{
    int has_digest = wci_digest_is_set(&ref->digest);
    const char *tag = ref->tag ? ref->tag : has_digest ? "" : DEFAULT_TAG;
    return wci_asprintf("%s%s%s%s%s%s%s", host, *host ? "/" : "", repository, *tag ? ":" : "", tag,
                        has_digest ? "@" : "", has_digest ? ref->digest.text : "");
}

char *wci_reference_format(const wci_reference *ref)
{
    return join(ref, ref->host, ref->repository);
}

/* Whether the name without its host would be read as the same. */
static int may_drop_host(const wci_reference *ref)
{
    size_t n = strcspn(ref->repository, "/");
    return !strcmp(ref->host, DEFAULT_HOST) && ref->repository[n] && !wci_is_host_part(ref->repository, n);
}

char *wci_reference_familiar(const wci_reference *ref)
{
    const char *short_name = ref->repository + strlen(DEFAULT_NAMESPACE);
    if (!may_drop_host(ref))
        return wci_reference_format(ref);
    if (wci_starts_with(ref->repository, DEFAULT_NAMESPACE) && !strchr(short_name, '/') &&
        !is_hex_id(short_name))
        return join(ref, "", short_name);
    return join(ref, "", ref->repository);
}

const char *wci_reference_target(const wci_reference *ref)
{
    if (wci_digest_is_set(&ref->digest))
        return ref->digest.text;
    return ref->tag ? ref->tag : DEFAULT_TAG;
}
