/* SPDX-License-Identifier: Apache-2.0 */
/* Looking at what a registry has, without fetching it; and deleting. */
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "platform/host.h"
#include "registry/link.h"
#include "registry/page.h"
#include "registry/remote.h"

#define MAX_PAGE_MS 60000
/* Far above what a registry has; below what a hostile one could keep us busy with. */
#define MAX_PAGES 10000
#define PAGE_SIZE 1000
#define MAX_LISTINGS 20

/* ---- One answer --------------------------------------------------------------------------------- */

typedef struct question {
    char *path, *what;
    wci_exchange ex;
} question;

static int32_t open_question(wci_remote *remote, const char *method, char *path, char *what, question *out,
                             wc_error **err)
{
    *out = (question){.path = path, .what = what};
    out->ex.remote = remote;
    out->ex.path = path;
    out->ex.request.method = method;
    out->ex.request.max_body = WCI_PAGE_MAX;
    out->ex.request.max_ms = MAX_PAGE_MS;
    return path && what ? WC_OK : wci_err_nomem(err);
}

static void close_question(question *q)
{
    wci_exchange_clear(&q->ex);
    wci_free(q->path);
    wci_free(q->what);
}

/* WC_OK for a status from 200 to 299. */
static int32_t ask(wc_call *call, question *q, wc_error **err)
{
    int32_t code = wci_exchange_run(call, &q->ex, err);
    if (code)
        return wci_err_wrap(err, code, "%s", q->what);
    if (q->ex.request.status < 200 || q->ex.request.status > 299)
        return wci_exchange_status_error(&q->ex, q->what, err);
    return WC_OK;
}

static int32_t parse_answer(const question *q, json_t **out, wc_error **err)
{
    const wci_str *body = &q->ex.request.body;
    return wci_page_parse(body->size ? body->data : "", body->size, q->what, out, err);
}

/* ---- Lists in pages ----------------------------------------------------------------------------- */

typedef struct listing listing;
struct listing {
    wci_remote *remote;
    const char *about, *accept; /* accept: a header, or NULL */
    int32_t (*take)(listing *l, json_t *page, wc_error **err);
    const char *key; /* of the array in each page */
    char *path;      /* of the page to come */
    wci_strv seen;   /* paths of pages */
    wci_strv *names; /* what they give, either of the two */
    json_t *index;
    int64_t status;  /* of the last page */
};

static int32_t take_names(listing *l, json_t *page, wc_error **err)
{
    return wci_page_names(page, l->key, l->about, l->names, err);
}

static int32_t take_entries(listing *l, json_t *page, wc_error **err)
{
    return wci_page_entries(page, l->key, l->about, &l->index, err);
}

/* The path of the next page, which must lie at the registry itself. *out NULL: this was the last. */
static int32_t next_path(const listing *l, const question *q, char **out, wc_error **err)
{
    const char *header = wci_http_header(&q->ex.request, "link", 0);
    char *target = NULL;
    wci_url url = WCI_URL_INIT;
    *out = NULL;
    int32_t code = header ? wci_link_next(header, &target, err) : WC_OK;
    if (code || !target)
        return code;
    code = wci_url_parse(target, &q->ex.url, &url, err);
    if (!code && !wci_url_same_origin(&url, &l->remote->base))
        code = wci_err(err, WC_E_PERMISSION, "%s: refused: the next page lies elsewhere (%s)", q->what, url.shown);
    if (!code) {
        const char *rest = strstr(url.text, "://") + 3;
        *out = wci_strdup(rest + strcspn(rest, "/?"));
        code = *out ? WC_OK : wci_err_nomem(err);
    }
    wci_url_free(&url);
    wci_free(target);
    return code;
}

static int32_t turn_page(listing *l, question *q, wc_error **err)
{
    char *next = NULL;
    int32_t code = next_path(l, q, &next, err);
    if (!code && next && (wci_strv_contains(&l->seen, next) || l->seen.count >= MAX_PAGES)) {
        code = wci_err(err, WC_E_FORMAT, "%s: the registry's pages never end", q->what);
        wci_free(next);
        return code;
    }
    wci_free(l->path);
    l->path = next;
    return code;
}

static int32_t read_page(wc_call *call, listing *l, wc_error **err)
{
    question q;
    json_t *page = NULL;
    int32_t code = wci_strv_add(&l->seen, l->path)
                       ? wci_err_nomem(err)
                       : open_question(l->remote, NULL, wci_strdup(l->path), wci_strdup(l->about), &q, err);
    if (code)
        return code;
    if (l->accept && wci_strv_add(&q.ex.headers, l->accept))
        code = wci_err_nomem(err);
    if (!code)
        code = ask(call, &q, err);
    l->status = q.ex.request.status;
    if (!code)
        code = parse_answer(&q, &page, err);
    if (!code)
        code = l->take(l, page, err);
    if (!code)
        code = turn_page(l, &q, err);
    json_decref(page);
    close_question(&q);
    return code;
}

/* Takes the path of the first one over, and leaves that of the one after the last that was read. */
static int32_t read_pages(wc_call *call, listing *l, char *path, size_t max, wc_error **err)
{
    int32_t code = path && l->about ? WC_OK : wci_err_nomem(err);
    l->path = path;
    for (size_t i = 0; !code && l->path && i < max; i++)
        code = read_page(call, l, err);
    wci_strv_free(&l->seen);
    return code;
}

static int32_t read_names(wc_call *call, wci_remote *remote, char *path, const char *key, char *about,
                          wci_strv *names, wc_error **err)
{
    listing l = {.remote = remote, .about = about, .take = take_names, .key = key, .names = names};
    int32_t code = read_pages(call, &l, path, MAX_PAGES + 1, err);
    wci_free(l.path);
    wci_free(about);
    return code;
}

static char *tags_path(const wci_remote *remote)
{
    return wci_asprintf("/v2/%s/tags/list?n=%d", remote->repository, PAGE_SIZE);
}

int32_t wci_remote_tags(wc_call *call, wci_remote *remote, wci_strv *tags, wc_error **err)
{
    return read_names(call, remote, tags_path(remote), "tags",
                      wci_asprintf("tags of '%s/%s'", remote->host, remote->repository), tags, err);
}

int32_t wci_remote_catalog(wc_call *call, wci_remote *remote, wci_strv *repositories, wc_error **err)
{
    return read_names(call, remote, wci_asprintf("/v2/_catalog?n=%d", PAGE_SIZE), "repositories",
                      wci_asprintf("catalog of '%s'", remote->host), repositories, err);
}

/* ---- Tags that are known ------------------------------------------------------------------------ */

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void wci_remote_learn_tags(wc_call *call, wci_remote *remote)
{
    listing l = {.remote = remote, .about = "tags", .take = take_names, .key = "tags", .names = &remote->tags};
    if (remote->tags_asked)
        return;
    remote->tags_asked = 1;
    remote->knows_tags = !read_pages(call, &l, tags_path(remote), 1, NULL) && !l.path;
    wci_free(l.path);
    if (remote->tags.count)
        qsort(remote->tags.items, remote->tags.count, sizeof *remote->tags.items, compare_texts);
}

int wci_remote_lacks_tag(const wci_remote *remote, const char *tag)
{
    return remote->knows_tags &&
           !(remote->tags.count && bsearch(&tag, remote->tags.items, remote->tags.count, sizeof *remote->tags.items,
                                           compare_texts));
}

/* ---- Deleting ----------------------------------------------------------------------------------- */

static int32_t delete_path(wc_call *call, wci_remote *remote, char *path, char *what, wc_error **err)
{
    question q;
    int32_t code = open_question(remote, "DELETE", path, what, &q, err);
    if (!code)
        code = ask(call, &q, err);
    if (code && (q.ex.request.status == 405 || q.ex.request.status == 400)) {
        wci_err_clear(err);
        code = wci_err_native(err, WC_E_UNSUPPORTED, WC_DOMAIN_HTTP, q.ex.request.status,
                              "%s: registry '%s' does not delete this; deleting may be switched off there", what,
                              remote->host);
    }
    close_question(&q);
    return code;
}

int32_t wci_remote_delete_manifest(wc_call *call, wci_remote *remote, const char *tag_or_digest, wc_error **err)
{
    return delete_path(call, remote, wci_asprintf("/v2/%s/manifests/%s", remote->repository, tag_or_digest),
                       wci_asprintf("manifest '%s'", tag_or_digest), err);
}

int32_t wci_remote_delete_blob(wc_call *call, wci_remote *remote, const wci_digest *digest, wc_error **err)
{
    return delete_path(call, remote, wci_asprintf("/v2/%s/blobs/%s", remote->repository, digest->text),
                       wci_asprintf("blob '%s'", digest->text), err);
}

/* ---- Referrers ---------------------------------------------------------------------------------- */

static int32_t no_referrers(wc_buf **out, wc_error **err)
{
    static const char none[] = "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\","
                               "\"manifests\":[]}";
    return wci_buf_new(none, sizeof none - 1, out, err);
}

/* Registries without the API keep a list under a tag of its own: "sha256-<hex>". */
static int32_t fallback_referrers(wc_call *call, wci_remote *remote, const wci_digest *subject, wc_buf **out,
                                  wc_error **err)
{
    char *tag = wci_asprintf("%s-%s", wci_digest_algo_name(subject), wci_digest_hex(subject)), *type = NULL;
    wci_digest digest;
    wc_error *why = NULL;
    int32_t code = !tag                                  ? wci_err_nomem(&why)
                   : wci_remote_lacks_tag(remote, tag) ? WC_E_NOT_FOUND
                                                         : wci_remote_manifest(call, remote, tag, out, &type, &digest, &why);
    wci_free(tag);
    wci_free(type);
    if (code != WC_E_NOT_FOUND)
        return code ? wci_err_move(err, why) : WC_OK;
    wc_error_unref(why);
    return no_referrers(out, err);
}

/* 404 by the specification; some that do not know the path find the request wrong. */
static int lacks_referrers(int64_t status)
{
    return status == 404 || status == 400 || status == 405 || status == 501;
}

int32_t wci_remote_referrers(wc_call *call, wci_remote *remote, const wci_digest *subject, wc_buf **out,
                             wc_error **err)
{
    char *about = wci_asprintf("referrers of '%s'", subject->text);
    listing l = {.remote = remote, .about = about, .take = take_entries, .key = "manifests",
                 .accept = "Accept: application/vnd.oci.image.index.v1+json"};
    wc_error *why = NULL;
    int32_t code = read_pages(call, &l, wci_asprintf("/v2/%s/referrers/%s", remote->repository, subject->text),
                              MAX_PAGES + 1, &why);
    int is_unknown = code && !l.index && lacks_referrers(l.status);
    if (!code)
        code = wci_json_dump(l.index, out, &why);
    wci_free(l.path);
    wci_free(about);
    json_decref(l.index);
    if (!is_unknown)
        return code ? wci_err_move(err, why) : WC_OK;
    wc_error_unref(why);
    return fallback_referrers(call, remote, subject, out, err);
}

static int is_listed(json_t *index, const wci_digest *digest)
{
    json_t *list = json_object_get(index, "manifests"), *entry;
    size_t i;
    json_array_foreach(list, i, entry)
        if (wci_streq(json_string_value(json_object_get(entry, "digest")), digest->text))
            return 1;
    return 0;
}

/* The answer of the API is not told from the index under the tag: what it has not, the index lacks. */
static int32_t put_listed(wc_call *call, wci_remote *remote, const wci_digest *subject, json_t *index, json_t *entry,
                          wc_error **err)
{
    wc_buf *bytes = NULL;
    char *tag = wci_asprintf("%s-%s", wci_digest_algo_name(subject), wci_digest_hex(subject));
    int32_t code = tag && entry && !json_array_append(json_object_get(index, "manifests"), entry)
                       ? wci_json_dump(index, &bytes, err)
                       : wci_err_nomem(err);
    if (!code)
        code = wci_remote_put_manifest(call, remote, tag, "application/vnd.oci.image.index.v1+json", wc_buf_data(bytes),
                                       wc_buf_size(bytes), err);
    wc_buf_unref(bytes);
    wci_free(tag);
    return code;
}

/* Adds the entry unless it is there. */
static int32_t list_once(wc_call *call, wci_remote *remote, const wci_digest *subject, const wci_digest *referrer,
                         json_t *entry, int *was_there, wc_error **err)
{
    wc_buf *answer = NULL;
    json_t *index = NULL;
    int32_t code = wci_remote_referrers(call, remote, subject, &answer, err);
    if (!code)
        code = wci_json_parse(wc_buf_data(answer), wc_buf_size(answer), (size_t)4 << 20, "referrers", &index, err);
    *was_there = !code && is_listed(index, referrer);
    if (!code && !*was_there)
        code = put_listed(call, remote, subject, index, entry, err);
    json_decref(index);
    wc_buf_unref(answer);
    return code;
}

/* Registries have no way to change a tag only if it is as it was: somebody else's list may have taken the place of
 * ours, so we look again until we see our entry. */
static int32_t list_until_seen(wc_call *call, wci_remote *remote, const wci_digest *subject,
                               const wci_digest *referrer, json_t *entry, wc_error **err)
{
    int is_there = 0;
    int32_t code = WC_OK;
    for (int tries = 0; tries < MAX_LISTINGS && !is_there && !code; tries++) {
        unsigned char random = 0;
        if (tries > 1 && !(code = wci_random_bytes(&random, 1, err)))
            code = wci_call_sleep_ms(call, random, err);
        if (!code)
            code = list_once(call, remote, subject, referrer, entry, &is_there, err);
    }
    return code || is_there ? code
                            : wci_err(err, WC_E_BUSY, "referrers of '%s': others change their list all the time; try again",
                                      subject->text);
}

int32_t wci_remote_list_referrer(wc_call *call, wci_remote *remote, const wci_digest *subject,
                                 const wci_digest *referrer, const char *media_type, size_t size,
                                 const char *artifact_type, wc_error **err)
{
    json_t *entry = json_pack("{s:s, s:s, s:I, s:s*}", "mediaType", media_type, "digest", referrer->text, "size",
                              (json_int_t)size, "artifactType", artifact_type);
    int32_t code = entry ? list_until_seen(call, remote, subject, referrer, entry, err) : wci_err_nomem(err);
    json_decref(entry);
    return code;
}

/* ---- Other documents ---------------------------------------------------------------------------- */

int32_t wci_remote_document(wc_call *call, wci_remote *remote, const char *path, size_t max, wc_buf **out,
                            wc_error **err)
{
    question q;
    int32_t code = open_question(remote, NULL, wci_strdup(path), wci_asprintf("'%s%s'", remote->host, path), &q, err);
    q.ex.request.max_body = max;
    if (!code)
        code = ask(call, &q, err);
    if (!code)
        code = wci_str_to_buf(&q.ex.request.body, out, err);
    close_question(&q);
    return code;
}

/* ---- Searching ---------------------------------------------------------------------------------- */

int32_t wci_remote_search(wc_call *call, wci_remote *remote, const char *term, uint32_t limit, wc_buf **out,
                          wc_error **err)
{
    wci_str path = WCI_STR_INIT;
    char number[16];
    question q;
    json_t *answer = NULL;
    wci_str_append(&path, "/v1/search");
    wci_url_add_query(&path, "q", term);
    snprintf(number, sizeof number, "%u", (unsigned)limit);
    wci_url_add_query(&path, "n", number);
    int32_t code = open_question(remote, NULL, wci_str_take(&path), wci_asprintf("search for '%s'", term), &q, err);
    if (!code)
        code = ask(call, &q, err);
    if (!code)
        code = parse_answer(&q, &answer, err);
    if (!code && !json_is_array(json_object_get(answer, "results")))
        code = wci_err(err, WC_E_FORMAT, "%s: the answer has no results", q.what);
    if (!code)
        code = wci_str_to_buf(&q.ex.request.body, out, err);
    json_decref(answer);
    close_question(&q);
    return code;
}

/* ---- Looking ------------------------------------------------------------------------------------ */

static int32_t take_look(const question *q, wci_look *out, wc_error **err)
{
    const wci_http_request *r = &q->ex.request;
    const char *type = wci_http_header(r, "content-type", 0), *digest = wci_http_header(r, "docker-content-digest", 0);
    const char *length = wci_http_header(r, "content-length", 0);
    uint64_t size = 0;
    if (!digest || wci_digest_parse(digest, &out->digest, NULL))
        return WC_E_NOT_FOUND;
    out->size = length && wci_parse_u64(length, INT64_MAX, &size) ? (int64_t)size : -1;
    size_t n = type ? strcspn(type, "; \t") : 0;
    out->media_type = wci_strndup(type ? type : "", n);
    return out->media_type ? WC_OK : wci_err_nomem(err);
}

static int32_t fetch_look(wc_call *call, wci_remote *remote, const char *tag_or_digest, wci_look *out, wc_error **err)
{
    wc_buf *body = NULL;
    int32_t code = wci_remote_manifest(call, remote, tag_or_digest, &body, &out->media_type, &out->digest, err);
    if (!code)
        out->size = (int64_t)wc_buf_size(body);
    wc_buf_unref(body);
    return code;
}

/* The number at the beginning of `text`, -1 when there is none. */
static int64_t leading_number(const char *text)
{
    char number[20];
    uint64_t value;
    size_t n = text ? strspn(text, "0123456789") : 0;
    if (!n || n >= sizeof number)
        return -1;
    memcpy(number, text, n);
    number[n] = '\0';
    return wci_parse_u64(number, INT64_MAX, &value) ? (int64_t)value : -1;
}

/* "100;w=21600": so many pulls in so many seconds. */
static void take_limits(const wci_http_request *r, wci_look *out)
{
    const char *limit = wci_http_header(r, "ratelimit-limit", 0);
    const char *window = limit ? strstr(limit, ";w=") : NULL;
    out->limit = leading_number(limit);
    out->remaining = leading_number(wci_http_header(r, "ratelimit-remaining", 0));
    out->window_s = leading_number(window ? window + strlen(";w=") : NULL);
}

/* A HEAD, which counts against no limit; where that tells too little, a GET. */
int32_t wci_remote_look(wc_call *call, wci_remote *remote, const char *tag_or_digest, wci_look *out, wc_error **err)
{
    question q;
    wc_error *why = NULL;
    *out = (wci_look){.size = -1, .limit = -1, .remaining = -1, .window_s = -1};
    int32_t code = open_question(remote, "HEAD",
                                 wci_asprintf("/v2/%s/manifests/%s", remote->repository, tag_or_digest),
                                 wci_asprintf("manifest '%s/%s:%s'", remote->host, remote->repository, tag_or_digest),
                                 &q, err);
    if (!code && wci_strv_add(&q.ex.headers, wci_manifest_accept))
        code = wci_err_nomem(err);
    if (!code)
        code = ask(call, &q, &why);
    take_limits(&q.ex.request, out);
    int again = code && q.ex.request.status && q.ex.request.status != 401 && q.ex.request.status != 403 &&
                q.ex.request.status != 404;
    if (!code)
        again = (code = take_look(&q, out, err)) == WC_E_NOT_FOUND;
    close_question(&q);
    if (!again)
        return code && why ? wci_err_move(err, why) : code;
    wc_error_unref(why);
    return fetch_look(call, remote, tag_or_digest, out, err);
}
