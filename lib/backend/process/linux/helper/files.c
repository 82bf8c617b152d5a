/* SPDX-License-Identifier: Apache-2.0 */
/* Works on files of subordinate ids for a library that is no root: see platform/posix/deed.h. */
#include "backend/process/linux/helper/helper.h"
#include "backend/process/linux/helper/user.h"
#include "core/error.h"
#include "platform/posix/deputy.h"

int files_main(const char *run_root)
{
    wc_error *err = NULL;
    int32_t rc = user_enter(run_root, 0, &err);
    wci_deputy_serve(HELPER_LINK, err);
    wc_error_unref(err);
    return rc != 0;
}
