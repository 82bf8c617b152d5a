/* SPDX-License-Identifier: Apache-2.0 */
/* registries.conf, with the TOML that it is written in. The first line is the name to look up, what follows is
 * the file. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "registry/registries.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int condition)
{
    if (!condition)
        abort();
}

static void check(int32_t code, wc_error *err)
{
    must(wc_error_code(err) == code);
    wc_error_unref(err);
}

static void look_up(const wci_registries *r, const char *name)
{
    wci_sites sites = WCI_SITES_INIT;
    wc_error *err = NULL;
    int32_t code = wci_registries_sites(r, name, &sites, &err);
    must((code == WC_OK) == (sites.count > 0));
    for (size_t i = 0; i < sites.count; i++) {
        const wci_site *s = &sites.items[i];
        must(*s->host && !strchr(s->host, '/') && *s->repository && s->target);
        must(s->is_mirror == (i + 1 < sites.count)); /* the registry itself comes last */
    }
    check(code, err);
    wci_sites_free(&sites);
}

static void expand(const wci_registries *r, const char *name)
{
    wci_strv names = WCI_STRV_INIT;
    wc_error *err = NULL;
    int32_t code = wci_registries_expand(r, name, &names, &err);
    must((code == WC_OK) == (names.count > 0));
    for (size_t i = 0; i < names.count; i++) {
        must(wci_name_has_host(names.items[i]));
        look_up(r, names.items[i]);
    }
    check(code, err);
    wci_strv_free(&names);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data, *line = memchr(text, '\n', size);
    size_t length = line ? (size_t)(line - text) : 0;
    char *name = malloc(length + 1);
    wci_registries *r = NULL;
    wc_error *err = NULL;
    if (!name)
        return 0;
    memcpy(name, text, length);
    name[length] = '\0';
    if (line)
        text = line + 1, size -= length + 1;
    if (!wci_registries_new(&r, NULL)) {
        int32_t code = wci_registries_add(r, text, size, "registries.conf", &err);
        check(code, err);
        if (!code && wci_name_has_host(name))
            look_up(r, name);
        else if (!code)
            expand(r, name);
    }
    wci_registries_free(r);
    free(name);
    return 0;
}
