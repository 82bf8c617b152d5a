/* SPDX-License-Identifier: Apache-2.0 */
#include "container/lsm.h"

#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "platform/file.h"

#define CATEGORIES 1024

int wci_host_has_apparmor(void)
{
    wc_buf *text = NULL;
    if (wci_file_read_all("/sys/module/apparmor/parameters/enabled", 16, &text, NULL))
        return 0;
    int enabled = *wc_buf_data(text) == 'Y';
    wc_buf_unref(text);
    return enabled;
}

int wci_host_has_selinux(void)
{
    return wci_file_exists("/sys/fs/selinux/enforce");
}

/* Docker passes a name over where it means nothing; what was asked for by name is not left out here. */
int32_t wci_apparmor_profile(const wci_config *config, int host_has_it, const char **out, wc_error **err)
{
    const char *asked = config->apparmor;
    *out = "";
    if (!*asked)
        return WC_OK;
    if (host_has_it)
        *out = asked;
    else if (strcmp(asked, "unconfined"))
        return wci_err(err, WC_E_UNSUPPORTED,
                       "security option 'apparmor=%.80s': this kernel has no AppArmor; leave it out, or use a host that "
                       "has it",
                       asked);
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

/* Two categories of its own keep a container from the files of others; the id is as good as chance, and stays. */
static void level_of(const char *id, char *out, size_t size)
{
    unsigned numbers[2] = {0, 0};
    for (size_t i = 0; i < 16 && id[i]; i++)
        numbers[i / 8] = numbers[i / 8] * 31 + (unsigned char)id[i];
    unsigned low = numbers[0] % CATEGORIES, high = numbers[1] % CATEGORIES;
    if (low == high)
        high = (high + 1) % CATEGORIES;
    snprintf(out, size, "s0:c%u,c%u", low < high ? low : high, low < high ? high : low);
}

int32_t wci_selinux_labels(const wci_config *config, const char *id, int host_has_it, char **process, char **mount,
                           wc_error **err)
{
    char own[32];
    level_of(id, own, sizeof own);
    label l = {"system_u", "system_r", "container_t", "container_file_t", own};
    *process = *mount = NULL;
    if (!host_has_it || config->privileged || wci_strv_contains(&config->selinux, "disable"))
        return WC_OK;
    for (size_t i = 0; i < config->selinux.count; i++)
        take(&l, config->selinux.items[i]);
    *process = wci_asprintf("%s:%s:%s:%s", l.user, l.role, l.type, l.level);
    *mount = wci_asprintf("system_u:object_r:%s:%s", l.file_type, l.level);
    return *process && *mount ? WC_OK : wci_err_nomem(err);
}
