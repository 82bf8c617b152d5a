/* SPDX-License-Identifier: Apache-2.0 */
/* Finding and checking descriptions; cdi_edit.c does what they say. */
#include "container/cdi.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "platform/file.h"

#define FILE_MAX ((size_t)4 << 20)

static const char *const standard_dirs[] = {"/etc/cdi", "/var/run/cdi"};

/* ---- Names --------------------------------------------------------------------------------------- */

static int is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Letters and digits, and between them also those of `inner`. */
static int is_word(const char *text, size_t size, const char *inner)
{
    if (!size || !is_alnum(text[size - 1]))
        return 0;
    for (size_t i = 0; i < size; i++)
        if (!is_alnum(text[i]) && (i == 0 || !strchr(inner, text[i])))
            return 0;
    return 1;
}

static int is_letter(char c)
{
    return is_alnum(c) && !(c >= '0' && c <= '9');
}

/* "vendor.com/class" of this size. */
static int is_kind(const char *text, size_t size)
{
    const char *slash = memchr(text, '/', size);
    if (!slash)
        return 0;
    size_t vendor = (size_t)(slash - text), class = size - vendor - 1;
    return is_letter(text[0]) && is_word(text, vendor, "_-.") && is_letter(slash[1]) && is_word(slash + 1, class, "_-");
}

int32_t wci_cdi_check_name(const char *name, wc_error **err)
{
    const char *equals = strchr(name, '=');
    if (equals && is_kind(name, (size_t)(equals - name)) && is_word(equals + 1, strlen(equals + 1), "_-.:"))
        return WC_OK;
    return wci_err(err, WC_E_INVALID, "CDI device '%.120s': must be such as 'vendor.com/class=name'", name);
}

/* ---- One description ----------------------------------------------------------------------------- */

static int32_t check_version(json_t *root, const char *what, wc_error **err)
{
    static const char *const known[] = {"0.3.0", "0.4.0", "0.5.0", "0.6.0", "0.7.0", "0.8.0"};
    const char *version = NULL;
    int32_t rc = wci_json_get_string(root, "cdiVersion", what, &version, err);
    if (rc)
        return rc;
    for (size_t i = 0; version && i < sizeof known / sizeof *known; i++)
        if (!strcmp(version, known[i]))
            return WC_OK;
    return wci_err(err, WC_E_UNSUPPORTED, "%s: version '%.20s' of CDI: 0.3.0 to 0.8.0 are known", what,
                   version ? version : "");
}

static int32_t check_devices(json_t *root, const char *what, wc_error **err)
{
    json_t *devices = NULL, *device;
    size_t i;
    int32_t rc = wci_json_get_array(root, "devices", what, &devices, err);
    if (!rc && !json_array_size(devices))
        rc = wci_err(err, WC_E_FORMAT, "%s: it has no devices", what);
    json_array_foreach(devices, i, device) {
        const char *name = NULL;
        json_t *edits = NULL;
        if (!rc && !json_is_object(device))
            rc = wci_err(err, WC_E_FORMAT, "%s: a device is no object", what);
        if (!rc)
            rc = wci_json_get_string(device, "name", what, &name, err);
        if (!rc && (!name || !is_word(name, strlen(name), "_-.:")))
            rc = wci_err(err, WC_E_FORMAT, "%s: '%.80s' is no name of a device", what, name ? name : "");
        if (!rc)
            rc = wci_json_get_object(device, "containerEdits", what, &edits, err);
    }
    return rc;
}

int32_t wci_cdi_parse(const char *text, size_t size, const char *what, json_t **out, wc_error **err)
{
    json_t *root = NULL, *edits = NULL;
    const char *kind = NULL;
    int32_t rc = wci_json_parse(text, size, FILE_MAX, what, &root, err);
    if (!rc && !json_is_object(root))
        rc = wci_err(err, WC_E_FORMAT, "%s: is no object", what);
    if (!rc)
        rc = check_version(root, what, err);
    if (!rc)
        rc = wci_json_get_string(root, "kind", what, &kind, err);
    if (!rc && (!kind || !is_kind(kind, strlen(kind))))
        rc = wci_err(err, WC_E_FORMAT, "%s: the kind '%.80s' is not such as 'vendor.com/class'", what, kind ? kind : "");
    if (!rc)
        rc = wci_json_get_object(root, "containerEdits", what, &edits, err);
    if (!rc)
        rc = check_devices(root, what, err);
    if (rc)
        json_decref(root);
    else
        *out = root;
    return rc;
}

/* ---- Looking ------------------------------------------------------------------------------------- */

typedef struct search {
    const char *name;  /* the whole one */
    json_t *spec;      /* the description that has it, owned */
    char *what;        /* its file, owned */
    wc_error *problem; /* the first of a file that could not be read */
    char *yaml;        /* a file that is not read, owned */
} search;

static json_t *device_of(json_t *root, const char *name)
{
    json_t *device;
    size_t i, size = strcspn(name, "=");
    const char *kind = json_string_value(json_object_get(root, "kind"));
    if (strlen(kind) != size || memcmp(kind, name, size))
        return NULL;
    json_array_foreach(json_object_get(root, "devices"), i, device)
        if (!strcmp(json_string_value(json_object_get(device, "name")), name + size + 1))
            return device;
    return NULL;
}

static int32_t read_file(const char *path, json_t **out, wc_error **err)
{
    wc_buf *text = NULL;
    char *what = wci_asprintf("CDI description '%s'", path);
    int32_t rc = what ? wci_file_read_all(path, FILE_MAX, &text, err) : wci_err_nomem(err);
    if (!rc)
        rc = wci_cdi_parse(wc_buf_data(text), wc_buf_size(text), what, out, err);
    wc_buf_unref(text);
    wci_free(what);
    return rc;
}

static void keep_problem(search *s, wc_error *why)
{
    if (s->problem)
        wc_error_unref(why);
    else
        s->problem = why;
}

/* In one directory two files must not describe the same device. */
static int32_t look_into(search *s, const char *path, const char *dir, wc_error **err)
{
    json_t *root = NULL;
    wc_error *why = NULL;
    int32_t rc = read_file(path, &root, &why);
    if (rc == WC_E_NOMEM)
        return wci_err_move(err, why);
    if (rc)
        keep_problem(s, why);
    if (rc || !device_of(root, s->name)) {
        json_decref(root);
        return WC_OK;
    }
    if (s->what && wci_starts_with(s->what, dir) && !strchr(s->what + strlen(dir) + 1, '/')) {
        json_decref(root);
        return wci_err(err, WC_E_INVALID, "CDI device '%s': both '%s' and '%s' describe it; remove one", s->name, s->what,
                       path);
    }
    json_decref(s->spec);
    s->spec = root;
    return wci_replace(&s->what, path) ? wci_err_nomem(err) : WC_OK;
}

static int32_t look_in_dir(search *s, const char *dir, wc_error **err)
{
    wci_strv names = WCI_STRV_INIT;
    int32_t rc = WC_OK;
    if (!wci_file_exists(dir) || wci_dir_list(dir, &names, NULL))
        return WC_OK;
    for (size_t i = 0; !rc && i < names.count; i++) {
        const char *name = names.items[i];
        int is_yaml = wci_ends_with(name, ".yaml") || wci_ends_with(name, ".yml");
        if (!is_yaml && !wci_ends_with(name, ".json"))
            continue;
        char *path = wci_path_join(dir, name);
        rc = path ? WC_OK : wci_err_nomem(err);
        if (!rc && !is_yaml)
            rc = look_into(s, path, dir, err);
        else if (!rc && !s->yaml && wci_replace(&s->yaml, path))
            rc = wci_err_nomem(err);
        wci_free(path);
    }
    wci_strv_free(&names);
    return rc;
}

static int32_t not_found(search *s, wc_error **err)
{
    if (s->problem) {
        wc_error *why = s->problem;
        s->problem = NULL;
        int32_t rc = wci_err_move(err, why);
        return wci_err_wrap(err, rc, "CDI device '%s'", s->name);
    }
    if (s->yaml)
        return wci_err(err, WC_E_UNSUPPORTED,
                       "CDI device '%s': no JSON file describes it, and '%s' is YAML, which is not read; write it as JSON",
                       s->name, s->yaml);
    return wci_err(err, WC_E_NOT_FOUND,
                   "CDI device '%s': no JSON file in /etc/cdi or /var/run/cdi describes it", s->name);
}

static int32_t apply_found(const search *s, const wci_strv *done, json_t *spec, wc_error **err)
{
    int32_t rc = WC_OK;
    if (!wci_strv_contains(done, s->what)) /* what all devices of a file need, once */
        rc = wci_cdi_edit(json_object_get(s->spec, "containerEdits"), s->what, spec, err);
    if (!rc)
        rc = wci_cdi_edit(json_object_get(device_of(s->spec, s->name), "containerEdits"), s->what, spec, err);
    return rc ? wci_err_wrap(err, rc, "CDI device '%s'", s->name) : WC_OK;
}

static int32_t apply_one(const char *const *dirs, size_t count, const char *name, wci_strv *done, json_t *spec,
                         wc_error **err)
{
    search s = {.name = name};
    int32_t rc = WC_OK;
    for (size_t i = 0; !rc && i < count; i++)
        rc = look_in_dir(&s, dirs[i], err);
    if (!rc)
        rc = s.spec ? apply_found(&s, done, spec, err) : not_found(&s, err);
    if (!rc && wci_strv_add(done, s.what))
        rc = wci_err_nomem(err);
    json_decref(s.spec);
    wci_free(s.what);
    wci_free(s.yaml);
    wc_error_unref(s.problem);
    return rc;
}

int32_t wci_cdi_apply_from(const char *const *dirs, size_t count, const wci_strv *names, json_t *spec, wc_error **err)
{
    wci_strv done = WCI_STRV_INIT;
    int32_t rc = WC_OK;
    for (size_t i = 0; !rc && i < names->count; i++)
        rc = apply_one(dirs, count, names->items[i], &done, spec, err);
    wci_strv_free(&done);
    return rc;
}

int32_t wci_cdi_apply(const wci_strv *names, json_t *spec, wc_error **err)
{
    return wci_cdi_apply_from(standard_dirs, sizeof standard_dirs / sizeof *standard_dirs, names, spec, err);
}
