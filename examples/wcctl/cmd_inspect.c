/* SPDX-License-Identifier: Apache-2.0 */
/* inspect: what is known of anything that has a name. */
#include <stdlib.h>
#include <string.h>

#include "wcctl.h"

static json_t *to_json(wc_buf *text)
{
    json_t *json = json_loadb(wc_buf_data(text), wc_buf_size(text), 0, NULL);
    wc_buf_unref(text);
    return json;
}

static int32_t container_json(const char *name, json_t **out, wc_error **err)
{
    wc_container *container = NULL;
    wc_container_info *info = NULL;
    int32_t code = wc_container_open(app_context(), name, &container, err);
    if (!code)
        code = wc_container_inspect(container, &info, err);
    if (!code)
        *out = json_loads(wc_container_info_json(info), 0, NULL);
    wc_container_info_unref(info);
    wc_container_unref(container);
    return code;
}

static int32_t image_json(const char *name, json_t **out, wc_error **err)
{
    wc_image *image = NULL;
    wc_buf *json = NULL;
    int32_t code = wc_image_open(app_context(), name, &image, err);
    if (!code)
        code = wc_image_inspect(image, &json, err);
    if (!code)
        *out = to_json(json);
    wc_image_unref(image);
    return code;
}

static int32_t network_json(const char *name, json_t **out, wc_error **err)
{
    wc_network *network = NULL;
    wc_buf *json = NULL;
    int32_t code = wc_network_open(app_context(), name, &network, err);
    if (!code)
        code = wc_network_inspect(network, &json, err);
    if (!code)
        *out = to_json(json);
    wc_network_unref(network);
    return code;
}

static int32_t volume_json(const char *name, json_t **out, wc_error **err)
{
    wc_volume *volume = NULL;
    wc_buf *json = NULL;
    int32_t code = wc_volume_open(app_context(), name, &volume, err);
    if (!code)
        code = wc_volume_inspect(volume, &json, err);
    if (!code)
        *out = to_json(json);
    wc_volume_unref(volume);
    return code;
}

static const struct kind {
    const char *name;
    int32_t (*look)(const char *name, json_t **out, wc_error **err);
} kinds[] = {{"container", container_json}, {"image", image_json}, {"network", network_json}, {"volume", volume_json}};

static int is_there_not(int32_t code)
{
    return code == WC_E_NOT_FOUND || code == WC_E_INVALID;
}

/* The object for one name; NULL, and a word on standard error, when there is none. A name that cannot be one kind's is
 * there for another. */
static json_t *inspect_one(const char *name, const char *type)
{
    wc_error *err = NULL;
    json_t *object = NULL;
    int32_t code = WC_E_NOT_FOUND;
    for (size_t i = 0; i < countof(kinds) && is_there_not(code); i++) {
        if (type && strcmp(type, kinds[i].name))
            continue;
        wc_error_unref(err);
        err = NULL;
        code = kinds[i].look(name, &object, &err);
    }
    if (is_there_not(code)) {
        fprintf(stderr, "wcctl: '%s': no such %s\n", name, type ? type : "container, image, network or volume");
        wc_error_unref(err);
    } else if (code) {
        complain(err);
    }
    return object;
}

static int is_kind(const char *name)
{
    size_t i = 0;
    while (i < countof(kinds) && strcmp(kinds[i].name, name))
        i++;
    return i < countof(kinds);
}

static int inspect_all(const char *type, const char *format, int argc, char **argv)
{
    json_t *found = json_array();
    for (int i = 0; i < argc; i++) {
        json_t *object = inspect_one(argv[i], type);
        if (object)
            json_array_append_new(found, object);
    }
    int result = json_array_size(found) < (size_t)argc;
    format_found(wcctl.json ? NULL : format, found);
    return result;
}

/* `type` NULL: --type may say it. */
static int read_and_inspect(const char *name, const char *usage, const char *type, int argc, char **argv)
{
    const char *format = NULL, *said = NULL;
    const option options[] = {
        FORMAT_OPTION(format),
        {0, "type", OPTION_TEXT, "container|image|network|volume", "look only for these", &said},
    };
    argc = options_read(name, usage, "Prints what is known of containers, images, networks and volumes, as JSON.", options,
                        countof(options) - (type != NULL), 0, argc, argv);
    if (!argc)
        die_usage("%s takes at least one name", name);
    if (said && !is_kind(said))
        die_usage("--type takes container, image, network or volume, not '%s'", said);
    return inspect_all(type ? type : said, format, argc, argv);
}

int inspect_command(int argc, char **argv)
{
    return read_and_inspect("inspect", "[OPTIONS] CONTAINER|IMAGE|NETWORK|VOLUME [...]", NULL, argc, argv);
}

int inspect_container(int argc, char **argv)
{
    return read_and_inspect("container inspect", "[OPTIONS] CONTAINER [CONTAINER ...]", "container", argc, argv);
}

int inspect_image(int argc, char **argv)
{
    return read_and_inspect("image inspect", "[OPTIONS] IMAGE [IMAGE ...]", "image", argc, argv);
}
