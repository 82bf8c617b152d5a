/* SPDX-License-Identifier: Apache-2.0 */
/** @file version.h Which library this is, and what it can do. */
#ifndef WINCONTAINER_VERSION_H
#define WINCONTAINER_VERSION_H

#include <wincontainer/base.h>

WC_BEGIN_DECLS

/** Version of the headers. @since 0.1 */
#define WC_VERSION_MAJOR 0
/** Version of the headers. @since 0.1 */
#define WC_VERSION_MINOR 1
/** Version of the headers. @since 0.1 */
#define WC_VERSION_PATCH 0

/**
 * Version of the loaded library, "MAJOR.MINOR.PATCH".
 *
 * Ownership: static. Thread-safety: any thread. Blocking: no.
 * @since 0.1
 */
WC_API const char *wc_version(void);

/**
 * Version of the loaded library as one number, major * 1000000 + minor * 1000 + patch.
 *
 * Thread-safety: any thread. Blocking: no.
 * @since 0.1
 */
WC_API int32_t wc_version_number(void);

/**
 * Whether the loaded library has a feature, so that a client built against newer headers can ask
 * before it calls.
 *
 * @param name one of the names in docs/features.md, for example "pull", "backend.process",
 *             "isal"; NULL and unknown names are simply not there.
 * @return 1 when present, else 0.
 *
 * Thread-safety: any thread. Blocking: no.
 * @since 0.1
 */
WC_API int32_t wc_has_feature(const char *name);

WC_END_DECLS

#endif
