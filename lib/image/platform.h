/* SPDX-License-Identifier: Apache-2.0 */
/* Platforms, and which one of those that an image offers fits best.
 * Specification: OCI image-spec 1.1, image-index.md; variants as Go's GOARM and GOAMD64. */
#ifndef WCI_IMAGE_PLATFORM_H
#define WCI_IMAGE_PLATFORM_H

#include <stddef.h>
#include <stdint.h>

#include <wincontainer/error.h>

#include "core/json.h"
#include "core/str.h"
#include "image/windows.h"

/* Texts are owned, normalised, and never NULL once initialised by one of the functions below;
 * "" is "not given". */
typedef struct wci_platform {
    char *os;
    char *arch;
    char *variant;
    char *os_version;
    wci_strv os_features; /* that the system must have */
} wci_platform;

#define WCI_PLATFORM_INIT {NULL, NULL, NULL, NULL, WCI_STRV_INIT}

/* Copies with the usual other spellings mapped: "x86_64" is "amd64", "aarch64" "arm64", "armhf"
 * "arm" with "v7". NULL is "". */
int32_t wci_platform_set(wci_platform *platform, const char *os, const char *arch,
                         const char *variant, const char *os_version, wc_error **err);
int32_t wci_platform_copy(const wci_platform *from, wci_platform *to, wc_error **err);
/* "os/arch[/variant][:version]", also "os(version)/arch[/variant]"; WC_E_INVALID otherwise. */
int32_t wci_platform_parse(const char *text, wci_platform *platform, wc_error **err);
/* From the keys that an image's config and the "platform" of a descriptor have alike. NULL: nothing is given. */
int32_t wci_platform_read(json_t *object, const char *what, wci_platform *platform, wc_error **err);
/* The platform of this process. */
int32_t wci_platform_host(wci_platform *platform, wc_error **err);
void wci_platform_clear(wci_platform *platform);

/* How well `offered` runs where `wanted` is at home: 0 is a perfect fit, larger is worse, negative
 * not at all. */
int wci_platform_rank(const wci_platform *wanted, wci_isolation isolation, const wci_platform *offered);
/* Of two that rank alike: whether `a` is to be preferred, as the very version or the later one. */
int wci_platform_is_newer(const wci_platform *wanted, const wci_platform *a, const wci_platform *b);
/* Whether both are of Windows and nothing but the build may keep `offered` from running. */
int wci_platform_differs_in_version(const wci_platform *wanted, const wci_platform *offered);
/* Appends "linux/arm64/v8" or "windows/amd64:10.0.20348.1". */
void wci_platform_format(const wci_platform *platform, wci_str *out);

#endif
