/* SPDX-License-Identifier: Apache-2.0 */
/* What a client can ask of a monitor beside streams: each command has a file of its own. */
#include <string.h>

#include "backend/process/linux/helper/monitor.h"
#include "backend/process/protocol.h"
#include "core/error.h"
#include "core/json.h"

typedef struct command {
    const char *name;
    /* Answers by session_answer(), at once or later. */
    void (*run)(monitor *m, uint64_t client_id, json_t *args);
} command;

static const command commands[] = {
    {"pause", command_pause},
    {"resume", command_resume},
    {"update", command_update},
    {NULL, NULL},
};

static const command *find(const char *name)
{
    for (const command *c = commands; c->name; c++)
        if (name && !strcmp(c->name, name))
            return c;
    return NULL;
}

void commands_take(void *owner, uint64_t client_id, const char *data, size_t size)
{
    monitor *m = owner;
    json_t *args = NULL;
    wc_error *err = NULL;
    int32_t rc = wci_json_parse(data, size, WCI_FRAME_STREAM_MAX, "command to a monitor", &args, &err);
    const char *name = json_string_value(json_object_get(args, "do"));
    const command *c = find(name);
    if (!rc && !c)
        wci_err(&err, WC_E_UNSUPPORTED,
                "monitor: does not know the command '%.40s', it belongs to an older version; restart the container",
                name ? name : "");
    if (err)
        session_answer(&m->session, client_id, err, NULL);
    else
        c->run(m, client_id, args);
    json_decref(args);
    wc_error_unref(err);
}
