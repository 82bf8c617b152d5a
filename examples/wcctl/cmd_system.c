/* SPDX-License-Identifier: Apache-2.0 */
/* Commands on the store and the host. */
#include <stdlib.h>
#include <string.h>

#include "cmd_df.h"

static int print_document(int32_t (*get)(wc_context *, wc_cancel *, wc_buf **, wc_error **))
{
    wc_error *err = NULL;
    wc_buf *out = NULL;
    TRY(get(app_context(), wcctl.cancel, &out, &err));
    print_json(wc_buf_data(out), wc_buf_size(out));
    wc_buf_unref(out);
    return 0;
}

/* Prints an object as indented "Key: value" lines. */
static void print_plain(json_t *value, int depth)
{
    const char *key;
    json_t *item;
    size_t i;
    if (json_is_object(value)) {
        json_object_foreach(value, key, item) {
            int nested = json_is_object(item) || json_is_array(item);
            printf("%*s%s:%s", depth, "", key, nested ? "\n" : " ");
            print_plain(item, depth + 2);
        }
    } else if (json_is_array(value)) {
        json_array_foreach(value, i, item) {
            if (json_is_object(item)) {
                print_plain(item, depth);
                putchar('\n');
            } else {
                printf("%*s- ", depth, "");
                print_plain(item, depth);
            }
        }
    } else if (json_is_string(value)) {
        printf("%s\n", json_string_value(value));
    } else {
        json_dumpf(value, stdout, JSON_ENCODE_ANY);
        putchar('\n');
    }
}

static int info(int argc, char **argv)
{
    options_read_all("system info", "Tells what was found on the host and what each absence costs.", NULL, 0, argc, argv);
    if (wcctl.json)
        return print_document(wc_system_info);
    wc_error *err = NULL;
    wc_buf *out = NULL;
    TRY(wc_system_info(app_context(), wcctl.cancel, &out, &err));
    json_t *value = json_loadb(wc_buf_data(out), wc_buf_size(out), 0, NULL);
    print_plain(value, 0);
    json_decref(value);
    wc_buf_unref(out);
    return 0;
}

static void df_row(table *out, json_t *row)
{
    char size[32], reclaimable[32], total[32], active[32];
    format_bytes((double)json_integer_value(json_object_get(row, "Size")), size);
    format_bytes((double)json_integer_value(json_object_get(row, "Reclaimable")), reclaimable);
    snprintf(total, sizeof total, "%lld", (long long)json_integer_value(json_object_get(row, "TotalCount")));
    snprintf(active, sizeof active, "%lld", (long long)json_integer_value(json_object_get(row, "Active")));
    const char *cells[] = {json_string_value(json_object_get(row, "Type")), total, active, size, reclaimable};
    table_row(out, cells);
}

static int df(int argc, char **argv)
{
    static const char *const headings[] = {"TYPE", "TOTAL", "ACTIVE", "SIZE", "RECLAIMABLE"};
    wc_error *err = NULL;
    wc_buf *text = NULL;
    size_t i;
    json_t *row;
    int details = 0;
    const option options[] = {{'v', "verbose", OPTION_FLAG, NULL, "also each image, container and volume", &details}};
    options_read_all("system df", "Tells what uses the disk.", options, countof(options), argc, argv);
    if (wcctl.json)
        return print_document(wc_system_df);
    TRY(wc_system_df(app_context(), wcctl.cancel, &text, &err));
    json_t *value = json_loadb(wc_buf_data(text), wc_buf_size(text), 0, NULL);
    table *out = table_new(headings, countof(headings));
    json_array_foreach(json_object_get(value, "Usage"), i, row)
        df_row(out, row);
    table_print(out);
    table_free(out);
    if (details)
        df_print_details(value);
    json_decref(value);
    wc_buf_unref(text);
    return 0;
}

static void print_lines(const wc_list *lines)
{
    for (size_t i = 0; i < wc_list_count(lines); i++)
        printf("%s\n", wc_list_string(lines, i));
}

static int confirm_prune(int all, int volumes, const char *max_size)
{
    if (max_size)
        fprintf(stderr, "This removes unused images until the rest takes %s. Go on? [y/N] ", max_size);
    else
        fprintf(stderr, "This removes all stopped containers%s and %s. Go on? [y/N] ",
                volumes ? ", anonymous volumes that nobody uses" : "",
                all ? "every image that no container uses" : "images without a name");
    int answer = getchar();
    return answer == 'y' || answer == 'Y';
}

/* Of all images; bytes. */
static int64_t drop_all_blobs(void)
{
    wc_error *err = NULL;
    wc_list *images = NULL;
    int64_t total = 0;
    TRY(wc_image_list(app_context(), &images, &err));
    for (size_t i = 0; i < wc_list_count(images); i++) {
        int64_t bytes = 0;
        TRY(wc_image_drop_blobs(wc_list_image(images, i), wcctl.cancel, &bytes, &err));
        total += bytes;
    }
    wc_list_unref(images);
    return total;
}

static int prune(int argc, char **argv)
{
    int all = 0, partial = 0, force = 0, drop_blobs = 0, volumes = 0;
    const char *max_size = NULL;
    const option options[] = {
        {'a', "all", OPTION_FLAG, NULL, "all images that no container uses, not just those without a name", &all},
        {0, "max-size", OPTION_TEXT, "SIZE", "instead: unused images, oldest use first, until the rest takes SIZE", &max_size},
        {0, "volumes", OPTION_FLAG, NULL, "also anonymous volumes that no container uses", &volumes},
        {0, "partial", OPTION_FLAG, NULL, "also downloads that could still be resumed", &partial},
        {0, "drop-blobs", OPTION_FLAG, NULL, "also compressed layers that can be made or fetched again", &drop_blobs},
        {'f', "force", OPTION_FLAG, NULL, "do not ask", &force},
    };
    wc_error *err = NULL;
    wc_list *removed = NULL;
    int64_t bytes = 0;
    char size[32];
    options_read_all("system prune", "Removes stopped containers, images without a name, and litter.", options,
                     countof(options), argc, argv);
    if (max_size && (all || partial || volumes))
        die_usage("system prune: --max-size stands alone: it says itself which images go");
    int64_t keep = max_size ? value_bytes("--max-size", max_size) : 0;
    if (keep < 0)
        die_usage("--max-size '%s': must not be negative", max_size);
    if (!force && !confirm_prune(all, volumes, max_size))
        return 1;
    uint64_t flags = WC_PRUNE_CONTAINERS | WC_PRUNE_DANGLING | (all ? WC_PRUNE_UNUSED : 0) |
                     (partial ? WC_PRUNE_PARTIAL : 0) | (volumes ? WC_PRUNE_VOLUMES : 0);
    if (max_size)
        TRY(wc_system_prune_to_size(app_context(), keep, wcctl.cancel, &bytes, &removed, &err));
    else
        TRY(wc_system_prune(app_context(), flags, wcctl.cancel, &bytes, &removed, &err));
    if (drop_blobs)
        bytes += drop_all_blobs();
    if (wcctl.json) {
        print_object(json_pack("{s:o, s:I}", "Removed", json_list(removed), "SpaceReclaimed", (json_int_t)bytes));
    } else {
        print_lines(removed);
        format_bytes((double)bytes, size);
        printf("Total reclaimed space: %s\n", size);
    }
    wc_list_unref(removed);
    return 0;
}

static int check(int argc, char **argv)
{
    int repair = 0;
    const option options[] = {{0, "repair", OPTION_FLAG, NULL, "mend what can be mended", &repair}};
    wc_error *err = NULL;
    wc_list *findings = NULL;
    options_read_all("system check", "Verifies every digest, reference and unpacked tree of the store.", options,
                     countof(options), argc, argv);
    TRY(wc_system_check(app_context(), repair, wcctl.cancel, &findings, &err));
    int bad = wc_list_count(findings) > 0;
    if (wcctl.json) {
        print_object(json_pack("{s:o}", "Findings", json_list(findings)));
    } else {
        print_lines(findings);
        if (!bad)
            printf("The store is sound.\n");
    }
    wc_list_unref(findings);
    return bad && !repair;
}

static int restore(int argc, char **argv)
{
    wc_error *err = NULL;
    wc_list *started = NULL;
    options_read_all("system restore", "Starts again what its restart policy wants to run, as after a boot.", NULL, 0,
                     argc, argv);
    TRY(wc_system_apply_restart_policy(app_context(), wcctl.cancel, &started, &err));
    if (wcctl.json)
        print_object(json_pack("{s:o}", "Started", json_list(started)));
    else
        print_lines(started);
    wc_list_unref(started);
    return 0;
}

static const command system_table[] = {
    {"info", info, "what the host has"},
    {"df", df, "what uses the disk"},
    {"prune", prune, "reclaim space"},
    {"check", check, "verify the store"},
    {"restore", restore, "start what has a restart policy"},
    {NULL, NULL, NULL},
};

static int system_command(int argc, char **argv)
{
    return subcommand("system", system_table, argc, argv);
}

static int version(int argc, char **argv)
{
    options_read_all("version", "Prints the versions.", NULL, 0, argc, argv);
    if (wcctl.json)
        print_texts("Version", wc_version(), NULL);
    else
        printf("wcctl and libwincontainer %s\n", wc_version());
    return 0;
}

const command system_commands[] = {
    {"system", system_command, "info, df, prune, check, restore"},
    {"version", version, "the versions"},
    {NULL, NULL, NULL},
};
