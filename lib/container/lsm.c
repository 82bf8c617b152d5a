/* SPDX-License-Identifier: Apache-2.0 */
#include "container/lsm.h"

#include <string.h>

#include "backend/process/apparmor.h"
#include "core/alloc.h"
#include "core/error.h"
#include "platform/file.h"
#include "platform/host.h"

/* The kernel says that its file has a page. */
static int is_enabled(void)
{
    wc_buf *text = NULL;
    if (wci_file_read_all("/sys/module/apparmor/parameters/enabled", 64 * 1024, &text, NULL))
        return 0;
    int enabled = *wc_buf_data(text) == 'Y';
    wc_buf_unref(text);
    return enabled;
}

/* Inside of other containers its files are not there: then the profile of that container is what there is. */
wci_apparmor_host wci_host_apparmor(void)
{
    if (!is_enabled())
        return WCI_APPARMOR_ABSENT;
    return wci_host_is_root() && wci_file_exists(WCI_APPARMOR_LOADED) ? WCI_APPARMOR_LOADABLE
                                                                                           : WCI_APPARMOR_NAMED;
}

int wci_host_has_selinux(void)
{
    return wci_file_exists("/sys/fs/selinux/enforce");
}

/* Docker passes a name over where it means nothing; what was asked for by name is not left out here. */
int32_t wci_apparmor_profile(const wci_config *config, wci_apparmor_host host, const char **out, wc_error **err)
{
    const char *asked = config->apparmor;
    *out = "";
    if (*asked && host != WCI_APPARMOR_ABSENT)
        *out = asked;
    else if (*asked && strcmp(asked, "unconfined"))
        return wci_err(err, WC_E_UNSUPPORTED,
                       "security option 'apparmor=%.80s': this kernel has no AppArmor; leave it out, or use a host that "
                       "has it",
                       asked);
    else if (!*asked && host == WCI_APPARMOR_LOADABLE)
        *out = config->privileged ? "unconfined" : WCI_APPARMOR_DEFAULT;
    return WC_OK;
}

/* ---- SELinux ------------------------------------------------------------------------------------ */

typedef struct label {
    const char *user, *role, *type, *file_type, *level;
} label;

static void take(label *l, const char *part)
{
    const struct {
        const char *name;
        const char **value;
    } parts[] = {{"user:", &l->user},
                 {"role:", &l->role},
                 {"type:", &l->type},
                 {"filetype:", &l->file_type},
                 {"level:", &l->level}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (wci_starts_with(part, parts[i].name))
            *parts[i].value = part + strlen(parts[i].name);
}

int32_t wci_selinux_labels(const wci_config *config, int host_has_it, char **process, char **mount, wc_error **err)
{
    label l = {"system_u", "system_r", "container_t", NULL, "s0"};
    *process = *mount = NULL;
    if (!host_has_it || !config->selinux.count || wci_strv_contains(&config->selinux, "disable"))
        return WC_OK;
    for (size_t i = 0; i < config->selinux.count; i++)
        take(&l, config->selinux.items[i]);
    *process = wci_asprintf("%s:%s:%s:%s", l.user, l.role, l.type, l.level);
    if (*process && l.file_type)
        *mount = wci_asprintf("system_u:object_r:%s:%s", l.file_type, l.level);
    if (*process && (*mount || !l.file_type))
        return WC_OK;
    wci_free(*process);
    *process = NULL;
    return wci_err_nomem(err);
}
