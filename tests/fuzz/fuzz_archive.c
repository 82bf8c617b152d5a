/* SPDX-License-Identifier: Apache-2.0 */
/* Image archives of docker and OCI, with the signatures that lie in them. An input that begins with '@' is text from which a tar is made: a line
 * "@NAME" begins each member. Any other is a tar itself, whose checksums are made right. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "support/tarball.h"

#include "core/call.h"
#include "image/documents.h"
#include "image/members.h"
#include "image/place.h"
#include "image/trust/attached.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static wc_call call;
static uint64_t archive_size;

static void must(int condition)
{
    if (!condition)
        abort();
}

/* ---- Making the archive ------------------------------------------------------------------------ */

/* The end of a member that begins at `from`: where the next line begins with '@'. */
static const char *member_end(const char *from, const char *end)
{
    for (const char *p = from; p < end; p++)
        if (*p == '@' && (p == from || p[-1] == '\n'))
            return p;
    return end;
}

static void put_member(tarball *t, const char *name, size_t name_size, const char *text, size_t size)
{
    char copy[100];
    if (!name_size || name_size >= sizeof copy)
        return;
    memcpy(copy, name, name_size);
    copy[name_size] = '\0';
    tar_put(t, .name = copy, .text = text, .size = size);
}

static void put_members(tarball *t, const char *data, size_t size)
{
    const char *end = data + size;
    for (const char *at = data; at < end;) {
        const char *line = memchr(at, '\n', (size_t)(end - at));
        const char *text = line ? line + 1 : end, *stop = member_end(text, end);
        /* The newline before the next '@' is not part of it. */
        const char *last = stop > text && stop < end ? stop - 1 : stop;
        if (last > text)
            put_member(t, at + 1, (size_t)((line ? line : end) - at - 1), text, (size_t)(last - text));
        at = stop;
    }
    tar_end(t);
}

static void put_blocks(tarball *t, const char *data, size_t size)
{
    tar_bytes(t, data, size);
    for (size_t at = 0; at + 512 <= size; at += 512)
        if (memcmp(t->data + at + 257, "ustar", 5) == 0)
            tar_sign(t->data + at);
}

/* A file of its own: origins close it. */
static int make_file(const tarball *t)
{
    int fd = memfd_create("archive", MFD_CLOEXEC);
    must(fd >= 0 && write(fd, t->data, t->size) == (ssize_t)t->size);
    archive_size = t->size;
    return fd;
}

/* ---- Reading it -------------------------------------------------------------------------------- */

static void check_blob(wci_origin *origin, const wci_digest *digest)
{
    wci_extent extent = WCI_EXTENT_NONE;
    if (origin->ops->open_blob(origin, digest, &extent, NULL))
        return;
    must(extent.offset <= archive_size && extent.size <= archive_size - extent.offset);
    wci_extent_close(&extent);
}

static int32_t show(void *self, const wci_attached *found, int *done, wc_error **err)
{
    (void)err;
    must(found->layer != NULL && !*done);
    ++*(size_t *)self;
    return WC_OK;
}

static void pass_over(void *self, const wc_error *why)
{
    (void)self;
    must(why != NULL);
}

/* Whatever lies beside the image as its signatures. */
static void look_for_signatures(wci_origin *origin, const wci_raw *raw)
{
    const wci_judged image = {.call = &call, .origin = origin, .documents = {raw}, .document_count = 1};
    size_t count = 0;
    const wci_attached_look look = {show, pass_over, &count};
    int done = 0;
    if (origin->ops->tagged && wci_digest_is_set(&raw->digest))
        wci_attached_each(&image, WCI_ARTIFACT_NOTATION, 1, &look, &done, NULL);
    must(count <= 256 && !done);
}

static void check_image(wci_origin *origin, size_t image)
{
    wci_raw raw = WCI_RAW_INIT;
    wci_document *document = NULL;
    wc_error *err = NULL;
    if (origin->ops->root(&call, origin, image, &raw, &err)) {
        must(err != NULL);
        wc_error_unref(err);
        return;
    }
    wci_document_parse(wc_buf_data(raw.body), wc_buf_size(raw.body), raw.media_type, "root", &document, NULL);
    for (size_t i = 0; document && i < document->count; i++)
        check_blob(origin, &document->items[i].digest);
    wci_document_free(document);
    look_for_signatures(origin, &raw);
    wci_raw_clear(&raw);
}

static int32_t open_layout(wci_members *members, const wci_place *place, int all, wci_origin **out, wc_error **err)
{
    return wci_origin_open_layout(&call, members, place, all, out, err);
}

typedef int32_t open_fn(wci_members *members, const wci_place *place, int all, wci_origin **out,
                        wc_error **err);

static void read_archive(const tarball *t, open_fn *open, const char *ref)
{
    wci_members members = WCI_MEMBERS_NONE;
    wci_place place = {.kind = WCI_PLACE_OCI_ARCHIVE, .path = (char *)"archive", .ref = (char *)ref};
    wci_origin *origin = NULL;
    wc_error *err = NULL;
    int32_t code = wci_members_open_tar(&call, (wci_fd)make_file(t), &members, &err);
    if (!code)
        code = open(&members, &place, !ref, &origin, &err);
    must((code == WC_OK) == (origin != NULL) && wc_error_code(err) == code);
    wc_error_unref(err);
    for (size_t i = 0; origin && i < origin->image_count; i++)
        check_image(origin, i);
    wci_origin_close(origin);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tarball t = TARBALL_INIT;
    if (size && data[0] == '@')
        put_members(&t, (const char *)data, size);
    else
        put_blocks(&t, (const char *)data, size);
    read_archive(&t, open_layout, NULL);
    read_archive(&t, wci_origin_open_docker, NULL);
    read_archive(&t, open_layout, "docker.io/library/a:1");
    read_archive(&t, wci_origin_open_docker, "docker.io/library/a:1");
    tar_free(&t);
    return 0;
}
