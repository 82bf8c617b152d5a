/* SPDX-License-Identifier: Apache-2.0 */
#include "image/outlet.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "platform/host.h"
#include "platform/tree.h"

#define CHUNK ((size_t)256 * 1024)
#define REPORT_NS 50000000LL

static int32_t open_place(wc_call *call, wci_store *store, const wci_place *place,
                          const wci_registry_config *config, wci_outlet **out, wc_error **err)
{
    switch (place->kind) {
    case WCI_PLACE_OCI:
        return wci_outlet_open_layout(place, out, err);
    case WCI_PLACE_OCI_ARCHIVE:
        return wci_outlet_open_oci_archive(place, out, err);
    case WCI_PLACE_DOCKER_ARCHIVE:
        return wci_outlet_open_docker(place, out, err);
    case WCI_PLACE_DOCKER_DAEMON:
        return wci_outlet_open_daemon(call, store, place, out, err);
    default:
        return wci_outlet_open_registry(call, store, place, config, out, err);
    }
}

/* The key is opened first: nothing is sent when it is not good. */
int32_t wci_outlet_open(wc_call *call, wci_store *store, const wci_place *place, const wci_registry_config *config,
                        const wci_transfer *transfer, wci_outlet **out, wc_error **err)
{
    wci_signer *signer = NULL;
    if (transfer->sign_key && place->kind != WCI_PLACE_REGISTRY)
        return wci_err(err, WC_E_INVALID, "only images that go to a registry can be signed");
    int32_t code = wci_signer_open(transfer, &signer, err);
    if (!code)
        code = open_place(call, store, place, config, out, err);
    if (code) {
        wci_signer_free(signer);
        return code;
    }
    (*out)->signer = signer;
    (*out)->spares_foreign = place->kind == WCI_PLACE_REGISTRY && !transfer->sends_foreign;
    return WC_OK;
}

void wci_outlet_close(wci_outlet *outlet)
{
    if (!outlet)
        return;
    wci_signer_free(outlet->signer);
    wci_free(outlet->near);
    outlet->ops->close(outlet);
}

/* ---- Images ------------------------------------------------------------------------------------- */

static int is_listed(const wci_descriptor *const *list, size_t count, const wci_digest *digest)
{
    for (size_t i = 0; i < count; i++)
        if (wci_digest_equal(&list[i]->digest, digest))
            return 1;
    return 0;
}

size_t wci_manifest_blobs(const wci_document *manifest, const wci_descriptor **out)
{
    size_t count = 0;
    out[count++] = &manifest->config;
    for (size_t i = 0; i < manifest->count; i++)
        if (!is_listed(out, count, &manifest->items[i].digest))
            out[count++] = &manifest->items[i];
    return count;
}

/* ---- Blobs -------------------------------------------------------------------------------------- */

typedef struct copy {
    wc_call *call;
    const wci_descriptor *descriptor;
    const wci_extent *from;
    wci_hasher *hasher;
    char *buffer;
    int64_t reported_ns;
    int32_t (*write)(void *self, const void *data, size_t size, wc_error **err);
    void *self;
} copy;

static int32_t report(copy *c, uint64_t at, wc_error **err)
{
    int64_t now = wci_monotonic_ns();
    if (now - c->reported_ns < REPORT_NS)
        return WC_OK;
    c->reported_ns = now;
    return wci_call_report(c->call, WC_PROGRESS_WRITE, c->descriptor->digest.text, (int64_t)at,
                           c->descriptor->size, NULL, err);
}

static int32_t copy_bytes(copy *c, wc_error **err)
{
    const wci_extent *from = c->from;
    for (uint64_t at = 0; at < from->size;) {
        size_t want = from->size - at < CHUNK ? (size_t)(from->size - at) : CHUNK, got = 0;
        int32_t code = wci_call_check(c->call, err);
        if (!code)
            code = wci_fd_pread(from->fd, c->buffer, want, from->offset + at, &got, err);
        if (!code && got != want)
            code = wci_err(err, WC_E_FORMAT, "its file ends too early");
        if (!code) {
            wci_hasher_update(c->hasher, c->buffer, got);
            code = c->write(c->self, c->buffer, got, err);
        }
        at += got;
        if (!code)
            code = report(c, at, err);
        if (code)
            return code;
    }
    return WC_OK;
}

static int32_t copy_verified(copy *c, wc_error **err)
{
    const wci_descriptor *d = c->descriptor;
    wci_digest digest = {{0}};
    if ((uint64_t)d->size != c->from->size)
        return wci_err(err, WC_E_DIGEST, "it has %llu bytes instead of %lld",
                       (unsigned long long)c->from->size, (long long)d->size);
    c->buffer = wci_malloc(CHUNK);
    int32_t code = c->buffer ? wci_hasher_new(wci_digest_algo(&d->digest), &c->hasher, err)
                             : wci_err_nomem(err);
    if (!code)
        code = copy_bytes(c, err);
    if (!code)
        code = wci_hasher_final(c->hasher, &digest, err);
    if (!code && !wci_digest_equal(&digest, &d->digest))
        code = wci_err(err, WC_E_DIGEST, "its bytes have the digest '%s'", digest.text);
    wci_hasher_free(c->hasher);
    wci_free(c->buffer);
    return code;
}

int32_t wci_blob_pass(wc_call *call, const wci_blob_source *from, const wci_descriptor *descriptor,
                      int32_t (*write)(void *self, const void *data, size_t size, wc_error **err), void *self,
                      wc_error **err)
{
    wci_extent extent = WCI_EXTENT_NONE;
    int32_t code = from->open(from->self, &descriptor->digest, &extent, err);
    if (!code) {
        copy c = {.call = call, .descriptor = descriptor, .from = &extent, .write = write,
                  .self = self};
        code = copy_verified(&c, err);
        wci_extent_close(&extent);
    }
    if (code)
        return wci_err_wrap(err, code, "blob '%s': cannot be copied", descriptor->digest.text);
    return wci_call_report(call, WC_PROGRESS_DONE, descriptor->digest.text, descriptor->size,
                           descriptor->size, NULL, err);
}

typedef struct placing {
    wci_berth berth;
    uint64_t done;
} placing;

static int32_t write_at(void *self, const void *data, size_t size, wc_error **err)
{
    placing *p = self;
    int32_t code = wci_tree_file_write_at(p->berth.fd, data, size, p->berth.offset + p->done, err);
    p->done += size;
    return code;
}

int32_t wci_blob_pass_to(wc_call *call, const wci_blob_source *from, const wci_descriptor *descriptor,
                         const wci_berth *berth, wc_error **err)
{
    placing p = {*berth, 0};
    return wci_blob_pass(call, from, descriptor, write_at, &p, err);
}

/* ---- index.json --------------------------------------------------------------------------------- */

int32_t wci_layout_index_open(const wc_buf *bytes, json_t **out, wc_error **err)
{
    json_t *index = NULL;
    if (!bytes) {
        index = json_pack("{s:i,s:s,s:[]}", "schemaVersion", 2, "mediaType", WCI_TYPE_OCI_INDEX,
                          "manifests");
        if (!index)
            return wci_err_nomem(err);
        *out = index;
        return WC_OK;
    }
    wci_document *checked = NULL;
    int32_t code = wci_document_parse(wc_buf_data(bytes), wc_buf_size(bytes), WCI_TYPE_OCI_INDEX,
                                      "'index.json'", &checked, err);
    wci_document_free(checked);
    return code ? code
                : wci_json_parse(wc_buf_data(bytes), wc_buf_size(bytes), WCI_MANIFEST_MAX,
                                 "'index.json'", out, err);
}

static const char *ref_of(const json_t *entry)
{
    const json_t *notes = json_object_get(entry, "annotations");
    return json_string_value(json_object_get(notes, WCI_ANNOTATION_REF_NAME));
}

/* The same name, or the same image without a name. */
static int is_replaced(const json_t *entry, const char *digest, const char *ref)
{
    const char *had = ref_of(entry);
    if (ref || had)
        return wci_streq(had, ref);
    return wci_streq(json_string_value(json_object_get(entry, "digest")), digest);
}

/* In the place of what it replaces; takes the entry over. */
static int32_t place_entry(json_t *index, json_t *entry, wc_error **err)
{
    json_t *list = json_object_get(index, "manifests");
    const char *ref = ref_of(entry), *digest = json_string_value(json_object_get(entry, "digest"));
    for (size_t i = json_array_size(list); i-- > 0;)
        if (is_replaced(json_array_get(list, i), digest, ref))
            json_array_remove(list, i);
    return json_array_append_new(list, entry) ? wci_err_nomem(err) : WC_OK;
}

/* `name`: the whole name, for those readers that want it apart from the reference. */
static int32_t add_entry(json_t *index, const wci_cargo *cargo, const char *ref, const char *name,
                         wc_error **err)
{
    json_t *entry = json_pack("{s:s,s:s,s:I,s:s*}", "mediaType", cargo->media_type, "digest",
                              cargo->raw->digest.text, "size", (json_int_t)wc_buf_size(cargo->raw->body),
                              "artifactType", cargo->artifact_type);
    json_t *notes = ref ? json_pack("{s:s,s:s*}", WCI_ANNOTATION_REF_NAME, ref,
                                    WCI_ANNOTATION_IMAGE_NAME, name)
                        : NULL;
    if (!entry || (ref && (!notes || json_object_set(entry, "annotations", notes)))) {
        json_decref(notes);
        json_decref(entry);
        return wci_err_nomem(err);
    }
    json_decref(notes);
    return place_entry(index, entry, err);
}

int32_t wci_layout_index_merge(json_t *index, const json_t *added, wc_error **err)
{
    json_t *list = json_object_get(added, "manifests"), *entry;
    int32_t code = WC_OK;
    size_t i;
    json_array_foreach(list, i, entry)
        if (!code)
            code = place_entry(index, json_deep_copy(entry), err);
    return code;
}

int32_t wci_layout_index_add(json_t *index, const wci_cargo *cargo, const char *ref, wc_error **err)
{
    if (cargo->role == WCI_ROLE_PART)
        return WC_OK;
    if (cargo->role != WCI_ROLE_ROOT)
        return add_entry(index, cargo, cargo->tag, NULL, err);
    if (ref || !cargo->names || !cargo->names->count)
        return add_entry(index, cargo, ref, NULL, err);
    int32_t code = WC_OK;
    for (size_t i = 0; i < cargo->names->count && !code; i++)
        code = add_entry(index, cargo, cargo->names->items[i], cargo->names->items[i], err);
    return code;
}
