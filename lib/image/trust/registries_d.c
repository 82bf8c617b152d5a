/* SPDX-License-Identifier: Apache-2.0 */
#include "image/trust/registries_d.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "platform/file.h"
#include "platform/host.h"

#define MAX_FILE ((size_t)1 << 20)
#define DEFAULT_SECTION "default-docker"
#define SCOPES_SECTION "docker"

void wci_registries_d_free(wci_registries_d *all)
{
    wci_strv_free(&all->scopes);
    wci_strv_free(&all->lookaside);
    *all = (wci_registries_d)WCI_REGISTRIES_D_INIT;
}

/* ---- Lines: "key: value" at an indentation ----------------------------------------------------------------- */

typedef struct line {
    size_t number, indent;
    char *key, *value; /* inside the text, which is cut up; value "" when there is none */
} line;

typedef struct reader {
    const char *file;
    char *at;
    size_t number;
    int in_scopes, in_section; /* below "docker:"; a section is open */
    size_t scope_indent, field_indent; /* 0: not seen yet */
    wci_registries_d *out;
} reader;

static int32_t malformed(const reader *r, const char *why, wc_error **err)
{
    return wci_err(err, WC_E_FORMAT, "'%s': line %zu: %s", r->file, r->number, why);
}

/* A '#' opens a comment at the beginning of a word, outside quotes. */
static void cut_comment(char *text)
{
    char quote = 0;
    for (char *p = text; *p; p++) {
        if (quote)
            quote = *p == quote ? 0 : quote;
        else if ((*p == '"' || *p == '\'') && (p == text || p[-1] == ' '))
            quote = *p;
        else if (*p == '#' && (p == text || p[-1] == ' ')) {
            *p = '\0';
            return;
        }
    }
}

static void cut_end(char *text)
{
    size_t n = strlen(text);
    while (n && strchr(" \r", text[n - 1]))
        text[--n] = '\0';
}

/* Takes the quotes off; 0 when what is inside them could mean something else than it looks like. */
static int unquote(char **text)
{
    size_t n = strlen(*text);
    char quote = **text;
    if (quote != '"' && quote != '\'')
        return !strpbrk(*text, "\"'") && !strchr("&*!|>%@`[{", quote ? quote : ' ');
    if (n < 2 || (*text)[n - 1] != quote)
        return 0;
    (*text)[n - 1] = '\0';
    (*text)++;
    return !strchr(*text, quote) && !strchr(*text, '\\');
}

/* The colon that ends the key: with a space or the end behind it, and outside quotes. */
static char *find_colon(char *text)
{
    char *p = text;
    if (*p == '"' || *p == '\'') {
        p = strchr(p + 1, *p);
        return p && p[1] == ':' && (p[2] == ' ' || !p[2]) ? p + 1 : NULL;
    }
    for (p = strchr(p, ':'); p && p[1] != ' ' && p[1]; p = strchr(p + 1, ':'))
        ;
    return p;
}

static int32_t split(const reader *r, char *text, line *out, wc_error **err)
{
    char *colon = find_colon(text);
    if (!colon)
        return malformed(r, "must be 'key: value'", err);
    *colon = '\0';
    out->key = text;
    out->value = colon + 1 + strspn(colon + 1, " ");
    cut_end(out->key);
    if (!strcmp(out->value, "{}"))
        out->value += 2;
    if (!*out->key || !unquote(&out->key) || !unquote(&out->value))
        return malformed(r, "only plain and quoted words are understood", err);
    return WC_OK;
}

/* 1 with the next line that says something, 0 at the end, or a code. */
static int32_t next(reader *r, line *out, int *found, wc_error **err)
{
    *found = 0;
    while (r->at && !*found) {
        char *text = r->at, *stop = strchr(text, '\n');
        if (stop)
            *stop = '\0';
        r->at = stop ? stop + 1 : NULL;
        r->number++;
        out->number = r->number;
        out->indent = strspn(text, " ");
        if (text[out->indent] == '\t')
            return malformed(r, "tabs do not indent", err);
        text += out->indent;
        cut_comment(text);
        cut_end(text);
        if (!*text || (r->number == 1 && !strcmp(text, "---")))
            continue;
        *found = 1;
        return split(r, text, out, err);
    }
    return WC_OK;
}

/* ---- Sections ----------------------------------------------------------------------------------------------- */

static int32_t open_section(reader *r, const char *scope, wc_error **err)
{
    if (wci_strv_contains(&r->out->scopes, scope))
        return malformed(r, "this was configured before; each may be once only", err);
    r->in_section = 1;
    r->field_indent = 0;
    return wci_strv_add(&r->out->scopes, scope) || wci_strv_add(&r->out->lookaside, "") ? wci_err_nomem(err) : WC_OK;
}

static int32_t take_top(reader *r, const line *l, wc_error **err)
{
    int is_default = !strcmp(l->key, DEFAULT_SECTION);
    if (*l->value || (!is_default && strcmp(l->key, SCOPES_SECTION)))
        return malformed(r, "must be 'docker:' or 'default-docker:'", err);
    r->in_scopes = !is_default;
    r->in_section = 0;
    r->scope_indent = 0;
    return is_default ? open_section(r, "", err) : WC_OK;
}

static int32_t take_field(reader *r, const line *l, wc_error **err)
{
    char **place = &r->out->lookaside.items[r->out->lookaside.count - 1];
    int is_new = !strcmp(l->key, "lookaside"), is_old = !strcmp(l->key, "sigstore");
    if (!r->field_indent)
        r->field_indent = l->indent;
    if (l->indent != r->field_indent)
        return malformed(r, "is indented otherwise than what stands beside it", err);
    if (!is_new && !(is_old && !**place)) /* others are for others; the new name wins */
        return WC_OK;
    return wci_replace(place, l->value) ? wci_err_nomem(err) : WC_OK;
}

static int32_t take(reader *r, const line *l, wc_error **err)
{
    if (!l->indent)
        return take_top(r, l, err);
    if (r->in_scopes && (!r->scope_indent || l->indent == r->scope_indent)) {
        r->scope_indent = l->indent;
        return *l->value || !*l->key ? malformed(r, "a scope must be followed by ':' alone", err)
                                     : open_section(r, l->key, err);
    }
    if (!r->in_section || (r->in_scopes && l->indent < r->scope_indent))
        return malformed(r, "is indented otherwise than what stands beside it", err);
    return take_field(r, l, err);
}

int32_t wci_registries_d_parse(const char *text, size_t size, const char *file, wci_registries_d *out, wc_error **err)
{
    char *copy = wci_strndup(text, size);
    reader r = {.file = file, .at = copy, .out = out};
    line l;
    int found = 1;
    if (!copy)
        return wci_err_nomem(err);
    int32_t code = strlen(copy) == size ? WC_OK : malformed(&r, "a zero byte", err);
    while (!code && found) {
        code = next(&r, &l, &found, err);
        if (!code && found)
            code = take(&r, &l, err);
    }
    wci_free(copy);
    return code;
}

/* ---- Files -------------------------------------------------------------------------------------------------- */

static int32_t load_file(const char *dir, const char *name, wci_registries_d *out, wc_error **err)
{
    wc_buf *bytes = NULL;
    char *path = wci_path_join(dir, name);
    int32_t code = path ? wci_file_read_all(path, MAX_FILE, &bytes, err) : wci_err_nomem(err);
    if (!code)
        code = wci_registries_d_parse(wc_buf_data(bytes), wc_buf_size(bytes), path, out, err);
    wc_buf_unref(bytes);
    wci_free(path);
    return code;
}

static int32_t load_directory(const char *dir, wci_registries_d *out, wc_error **err)
{
    wci_strv names = WCI_STRV_INIT;
    int32_t code = wci_dir_list(dir, &names, err);
    for (size_t i = 0; i < names.count && !code; i++)
        if (wci_ends_with(names.items[i], ".yaml"))
            code = load_file(dir, names.items[i], out, err);
    wci_strv_free(&names);
    return code;
}

int32_t wci_registries_d_load(wci_registries_d *out, wc_error **err)
{
    wci_strv places = WCI_STRV_INIT;
    int32_t code = wci_host_container_files("registries.d", &places) ? wci_err_nomem(err) : WC_OK;
    for (size_t i = 0; i < places.count && !code; i++) {
        if (!wci_file_exists(places.items[i]))
            continue;
        code = load_directory(places.items[i], out, err);
        break;
    }
    wci_strv_free(&places);
    if (code)
        wci_registries_d_free(out);
    return code ? wci_err_wrap(err, code, "registries.d") : WC_OK;
}

/* As everywhere in these files, the most specific scope decides alone, even when it says nothing. */
const char *wci_registries_d_find(const wci_registries_d *all, const wci_strv *scopes)
{
    for (size_t i = 0; i <= scopes->count; i++) {
        const char *wanted = i < scopes->count ? scopes->items[i] : "";
        for (size_t k = 0; k < all->scopes.count; k++)
            if (!strcmp(all->scopes.items[k], wanted))
                return *all->lookaside.items[k] ? all->lookaside.items[k] : NULL;
    }
    return NULL;
}
