/* SPDX-License-Identifier: Apache-2.0 */
/* Taking over the table of a backend that was compiled against another version of the header. */
#include "backend/table.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"

/* What every version of the table has had. */
#define SMALLEST_TABLE offsetof(wc_backend_ops, open)
#define LARGEST_TABLE 65536
#define LONGEST_NAME 64

#define KNOWN_CAPABILITIES                                                                         \
    ((uint64_t)(WC_BACKEND_RECORDS | WC_BACKEND_DETACHED | WC_BACKEND_LAYERS | WC_BACKEND_HYPERV |   \
                WC_BACKEND_IMAGE_FILES | WC_BACKEND_NETWORKS))

static int name_is_good(const char *name)
{
    size_t n = name ? strlen(name) : 0;
    return n > 0 && n <= LONGEST_NAME && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
}

/* A newer table may be longer, as long as it does not use what we do not know. */
static int tail_is_zero(const wc_backend_ops *ops)
{
    const unsigned char *bytes = (const unsigned char *)ops;
    for (size_t i = sizeof *ops; i < ops->struct_size; i++)
        if (bytes[i])
            return 0;
    return 1;
}

static int32_t check_table(const wc_backend_ops *ops, wc_error **err)
{
    if (ops->struct_size < SMALLEST_TABLE || ops->struct_size > LARGEST_TABLE)
        return wci_err(err, WC_E_INVALID,
                       "backend table: struct_size is %llu: set it to sizeof(wc_backend_ops)",
                       (unsigned long long)ops->struct_size);
    if (ops->spi_major != WC_BACKEND_SPI_MAJOR)
        return wci_err(err, WC_E_INVALID,
                       "backend table: written for interface version %u: this library has %d",
                       (unsigned)ops->spi_major, WC_BACKEND_SPI_MAJOR);
    if (!name_is_good(ops->name))
        return wci_err(err, WC_E_INVALID,
                       "backend table: name: must be 1 to %d lower-case letters, digits and '-'",
                       LONGEST_NAME);
    if (ops->reserved)
        return wci_err(err, WC_E_INVALID, "backend '%s': field 'reserved': must be 0", ops->name);
    if (ops->capabilities & ~KNOWN_CAPABILITIES)
        return wci_err(err, WC_E_INVALID, "backend '%s': capabilities 0x%llx: unknown bits",
                       ops->name, (unsigned long long)ops->capabilities);
    if (!tail_is_zero(ops))
        return wci_err(err, WC_E_INVALID,
                       "backend '%s': fills operations that this library does not know: use a "
                       "newer library",
                       ops->name);
    return WC_OK;
}

int32_t wci_backend_new(const wc_backend_ops *ops, uintptr_t payload,
                        void (*free_payload)(uintptr_t), wci_backend **out, wc_error **err)
{
    int32_t rc = check_table(ops, err);
    if (rc)
        return rc;
    wci_backend *backend = wci_calloc(1, sizeof *backend);
    char *name = wci_strdup(ops->name);
    if (!backend || !name) {
        wci_free(backend);
        wci_free(name);
        return wci_err_nomem(err);
    }
    wci_ref_init(&backend->refs);
    wci_mutex_init(&backend->mutex);
    size_t known = ops->struct_size < sizeof *ops ? (size_t)ops->struct_size : sizeof *ops;
    memcpy(&backend->ops, ops, known);
    backend->ops.name = name;
    backend->payload = payload;
    backend->free_payload = free_payload;
    *out = backend;
    return WC_OK;
}

wci_backend *wci_backend_ref(wci_backend *backend)
{
    if (backend)
        wci_ref_take(&backend->refs);
    return backend;
}

void wci_backend_unref(wci_backend *backend)
{
    if (!backend || !wci_ref_drop(&backend->refs))
        return;
    if (backend->free_payload)
        backend->free_payload(backend->payload);
    wci_mutex_destroy(&backend->mutex);
    wci_free((char *)backend->ops.name);
    wci_free(backend);
}

const char *wci_backend_name(const wci_backend *backend)
{
    return backend->ops.name;
}

uint64_t wci_backend_capabilities(const wci_backend *backend)
{
    return backend->ops.capabilities;
}

static int32_t open_now(wci_backend *backend, wc_call *call, const wc_request *settings,
                        wc_error **err)
{
    wc_response response;
    wci_response_init(&response);
    int32_t rc =
        wci_backend_invoke(backend, backend->ops.open, "open", call, settings, &response, err);
    if (rc == WC_OK && backend->takes_payload_from_open)
        backend->payload = response.handle;
    wci_response_free(&response);
    return rc;
}

int32_t wci_backend_open(wci_backend *backend, wc_call *call, const wc_request *settings,
                         wc_error **err)
{
    int32_t rc = WC_OK;
    wci_mutex_lock(&backend->mutex);
    if (!backend->opened && backend->ops.open)
        rc = open_now(backend, call, settings, err);
    if (rc == WC_OK)
        backend->opened = 1;
    wci_mutex_unlock(&backend->mutex);
    return rc;
}
