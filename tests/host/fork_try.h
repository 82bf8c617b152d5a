/* SPDX-License-Identifier: Apache-2.0 */
/* How each function of the library that may fail is tried in a forked child: a file per area, fork_try_<area>.c, with a
 * table that ends with NULL. */
#ifndef FORK_TRY_H
#define FORK_TRY_H

#include "host/fork_handles.h"

#define ALL (WC_ATTACH_STDIN | WC_ATTACH_STDOUT | WC_ATTACH_STDERR)
#define TOUCHED 1 /* no code of the library */

/* What the functions work on. */
extern handles *tried;
extern wc_context *tried_context;
/* Outputs are left as they were. */
#define TRY(function, type, call)                                                                                  \
    static int32_t try_##function(wc_error **err)                                                                  \
    {                                                                                                              \
        static char mark;                                                                                          \
        type *const before = (type *)(void *)&mark, *out = before;                                                 \
        int32_t rc = call;                                                                                         \
        return out == before ? rc : TOUCHED;                                                                       \
    }
#define TRY_PLAIN(function, call)                                                                                  \
    static int32_t try_##function(wc_error **err)                                                                  \
    {                                                                                                              \
        return call;                                                                                               \
    }

typedef struct attempt {
    const char *name;
    int32_t (*run)(wc_error **err);
    int makes_no_error;
} attempt;
#define ENTRY(function) {#function, try_##function, 0}

extern const attempt fork_try_image[], fork_try_registry[], fork_try_container[], fork_try_group[], fork_try_network[], fork_try_system[],
    fork_try_volume[];

#endif
