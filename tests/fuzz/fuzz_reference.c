/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever is accepted as a reference, place or platform prints as text that is read as the same again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "image/place.h"
#include "image/platform.h"
#include "image/reference.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int condition)
{
    if (!condition)
        abort();
}

static void check_same(const char *text, const wci_reference *ref)
{
    wci_reference again = WCI_REFERENCE_INIT;
    must(text && wci_reference_parse(text, &again, NULL) == WC_OK);
    must(!strcmp(again.host, ref->host) && !strcmp(again.repository, ref->repository));
    must(!strcmp(wci_reference_target(&again), wci_reference_target(ref)));
    wci_reference_free(&again);
}

static void try_platform(const char *text)
{
    wci_platform platform = WCI_PLATFORM_INIT, again = WCI_PLATFORM_INIT;
    wci_str shown = WCI_STR_INIT;
    if (wci_platform_parse(text, &platform, NULL))
        return;
    wci_platform_format(&platform, &shown);
    must(!wci_platform_parse(shown.data, &again, NULL));
    must(!strcmp(again.os, platform.os) && !strcmp(again.arch, platform.arch));
    must(!strcmp(again.variant, platform.variant) && !strcmp(again.os_version, platform.os_version));
    wci_platform_rank(&platform, WCI_ISOLATION_PROCESS, &again);
    wci_str_free(&shown);
    wci_platform_clear(&platform);
    wci_platform_clear(&again);
}

static void try_reference(const char *text)
{
    wci_reference ref = WCI_REFERENCE_INIT;
    wc_error *err = NULL;
    if (wci_reference_parse(text, &ref, &err)) {
        must(err != NULL);
        wc_error_unref(err);
        return;
    }
    char *whole = wci_reference_format(&ref), *familiar = wci_reference_familiar(&ref);
    check_same(whole, &ref);
    check_same(familiar, &ref);
    wci_free(whole);
    wci_free(familiar);
    wci_reference_free(&ref);
}

static void try_place(const char *text)
{
    wci_place place = WCI_PLACE_INIT, again = WCI_PLACE_INIT;
    if (wci_place_parse(text, &place, NULL))
        return;
    char *printed = wci_place_format(&place);
    must(printed && wci_place_parse(printed, &again, NULL) == WC_OK);
    must(again.kind == place.kind);
    wci_free(printed);
    wci_place_free(&place);
    wci_place_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    if (size)
        memcpy(text, data, size);
    text[size] = '\0';
    try_reference(text);
    try_place(text);
    try_platform(text);
    free(text);
    return 0;
}
