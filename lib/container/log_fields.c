/* SPDX-License-Identifier: Apache-2.0 */
#include "container/log_fields.h"

#include <jansson.h>
#include <stdint.h>
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "core/str.h"

#define SHORT_ID 12

typedef struct source {
    const char *id, *name, *image_id, *image_name;
} source;

/* Of a template's "{{.NAME}}"; NULL: there is no such name. */
static const char *value_of(const source *from, const char *name, size_t size, size_t *length)
{
    const struct {
        const char *name, *value;
        size_t most;
    } known[] = {{"ID", from->id, SHORT_ID},
                 {"FullID", from->id, SIZE_MAX},
                 {"Name", from->name, SIZE_MAX},
                 {"ImageID", from->image_id, SHORT_ID},
                 {"ImageFullID", from->image_id, SIZE_MAX},
                 {"ImageName", from->image_name, SIZE_MAX},
                 {"DaemonName", "wincontainer", SIZE_MAX}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strlen(known[i].name) != size || strncmp(known[i].name, name, size) != 0)
            continue;
        *length = strnlen(known[i].value, known[i].most);
        return known[i].value;
    }
    return NULL;
}

/* At "{{": appends what it stands for, and gives what follows it; NULL when it cannot be understood. */
static const char *expand(const source *from, const char *at, wci_str *tag)
{
    const char *name = at + 2 + strspn(at + 2, " ");
    size_t length = 0, size = *name == '.' ? strcspn(name + 1, " {}") : 0;
    const char *value = size ? value_of(from, name + 1, size, &length) : NULL;
    const char *end = name + 1 + size;
    if (!value)
        return NULL;
    end += strspn(end, " ");
    wci_str_append_n(tag, value, length);
    return wci_starts_with(end, "}}") ? end + 2 : NULL;
}

static int32_t fill_template(const source *from, const char *template, char **out, wc_error **err)
{
    wci_str tag = WCI_STR_INIT;
    const char *at = *template ? template : "{{.ID}}", *open;
    while (at && (open = strstr(at, "{{"))) {
        wci_str_append_n(&tag, at, (size_t)(open - at));
        at = expand(from, open, &tag);
    }
    if (!at) {
        wci_str_free(&tag);
        return wci_err(err, WC_E_INVALID,
                       "log tag '%.80s': between '{{' and '}}' there may be .ID, .FullID, .Name, .ImageID, .ImageFullID, "
                       ".ImageName or .DaemonName",
                       template);
    }
    wci_str_append(&tag, at);
    *out = wci_str_take(&tag);
    return *out ? WC_OK : wci_err_nomem(err);
}

int32_t wci_log_tag(const wci_container_record *record, const wci_config *config, char **out, wc_error **err)
{
    const char *hex = strchr(config->image_id, ':');
    source from = {record->id, record->name, hex ? hex + 1 : config->image_id, record->image_name};
    return fill_template(&from, config->log_tag, out, err);
}

int32_t wci_log_tag_check(const char *template, wc_error **err)
{
    static const source nothing = {"", "", "", ""};
    char *tag = NULL;
    int32_t rc = fill_template(&nothing, template, &tag, err);
    wci_free(tag);
    return rc;
}

int32_t wci_log_fields(const wci_container_record *record, const wci_config *config, char **out, wc_error **err)
{
    char *tag = NULL;
    int32_t rc = wci_log_tag(record, config, &tag, err);
    if (rc)
        return rc;
    json_t *fields = json_pack("{s:s%, s:s, s:s, s:s, s:s, s:s}", "CONTAINER_ID", record->id, (size_t)SHORT_ID,
                               "CONTAINER_ID_FULL", record->id, "CONTAINER_NAME", record->name, "CONTAINER_TAG", tag,
                               "IMAGE_NAME", record->image_name, "SYSLOG_IDENTIFIER", tag);
    *out = fields ? wci_json_dump_text(fields) : NULL;
    json_decref(fields);
    wci_free(tag);
    return *out ? WC_OK : wci_err_nomem(err);
}
