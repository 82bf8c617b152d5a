/* SPDX-License-Identifier: Apache-2.0 */
/* Groups of containers. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "wcctl.h"

static json_t *json_of(wc_buf *text)
{
    json_t *json = json_loadb(wc_buf_data(text), wc_buf_size(text), 0, NULL);
    wc_buf_unref(text);
    return json;
}

static json_t *describe(wc_group *group)
{
    wc_error *err = NULL;
    wc_buf *text = NULL;
    TRY(wc_group_inspect(group, &text, &err));
    return json_of(text);
}

static json_t *report_of(wc_group *group)
{
    wc_error *err = NULL;
    wc_buf *text = NULL;
    TRY(wc_group_report(group, wcctl.cancel, &text, &err));
    return json_of(text);
}

/* ---- create, update ------------------------------------------------------------------------------ */

static const char *memory, *memory_swap, *reservation, *cpus, *shares, *cpuset, *mems, *pids, *weight;

static const option limit_options[] = {
    {'m', "memory", OPTION_TEXT, "SIZE", "memory of all its containers, 0: no limit", &memory},
    {0, "memory-swap", OPTION_TEXT, "SIZE", "memory plus swap, -1: unlimited", &memory_swap},
    {0, "memory-reservation", OPTION_TEXT, "SIZE", "memory it keeps when memory is short", &reservation},
    {0, "cpus", OPTION_TEXT, "NUMBER", "processors, may be a fraction, 0: no limit", &cpus},
    {'c', "cpu-shares", OPTION_TEXT, "NUMBER", "weight against others beside it", &shares},
    {0, "cpuset-cpus", OPTION_TEXT, "LIST", "processors it may use", &cpuset},
    {0, "cpuset-mems", OPTION_TEXT, "LIST", "memory nodes it may use", &mems},
    {0, "pids-limit", OPTION_TEXT, "NUMBER", "processes and threads, 0: no limit", &pids},
    {0, "blkio-weight", OPTION_TEXT, "NUMBER", "weight of reads and writes, 10 to 1000", &weight},
};

static wc_group_options *limits(void)
{
    wc_error *err = NULL;
    wc_group_options *to = NULL;
    TRY(wc_group_options_new(&to, &err));
    if (memory)
        TRY(wc_group_options_set_memory(to, value_bytes("--memory", memory), &err));
    if (memory_swap)
        TRY(wc_group_options_set_memory_swap(to, value_bytes("--memory-swap", memory_swap), &err));
    if (reservation)
        TRY(wc_group_options_set_memory_reservation(to, value_bytes("--memory-reservation", reservation), &err));
    if (cpus)
        TRY(wc_group_options_set_nano_cpus(to, value_nano_cpus("--cpus", cpus), &err));
    if (shares)
        TRY(wc_group_options_set_cpu_shares(to, value_number("--cpu-shares", shares), &err));
    if (cpuset)
        TRY(wc_group_options_set_cpuset(to, cpuset, &err));
    if (mems)
        TRY(wc_group_options_set_cpuset_mems(to, mems, &err));
    if (pids)
        TRY(wc_group_options_set_pids_limit(to, value_number("--pids-limit", pids), &err));
    if (weight)
        TRY(wc_group_options_set_blkio_weight(to, value_number("--blkio-weight", weight), &err));
    return to;
}

static void print_group(wc_group *group)
{
    if (wcctl.json)
        print_object(describe(group));
    else
        printf("%s\n", wc_group_name(group));
}

static int create(int argc, char **argv)
{
    wc_error *err = NULL;
    wc_group *group = NULL;
    argc = options_read("group create", "[OPTIONS] NAME", "Makes a group that containers can join.", limit_options,
                        countof(limit_options), 0, argc, argv);
    if (argc != 1)
        die_usage("group create takes one NAME");
    wc_group_options *wanted = limits();
    TRY(wc_group_create(app_context(), argv[0], wanted, wcctl.cancel, &group, &err));
    print_group(group);
    wc_group_unref(group);
    wc_group_options_unref(wanted);
    return 0;
}

/* Names as they come; what cannot be done is told, and the rest goes on. */
static int each_group(int argc, char **argv, int32_t (*run)(wc_group *, void *, wc_error **), void *arg)
{
    int result = 0;
    for (int i = 0; i < argc; i++) {
        wc_error *err = NULL;
        wc_group *group = NULL;
        int32_t code = wc_group_open(app_context(), argv[i], &group, &err);
        if (!code)
            code = run(group, arg, &err);
        wc_group_unref(group);
        if (code == WC_E_CANCELLED)
            die(code, err);
        if (code) {
            complain(err);
            result = 1;
        }
    }
    return result;
}

static int32_t update_one(wc_group *group, void *arg, wc_error **err)
{
    int32_t code = wc_group_update(group, arg, wcctl.cancel, err);
    if (!code)
        print_group(group);
    return code;
}

static int update(int argc, char **argv)
{
    argc = options_read("group update", "[OPTIONS] GROUP [GROUP ...]", "Changes limits, also of what runs.",
                        limit_options, countof(limit_options), 0, argc, argv);
    if (!argc)
        die_usage("group update takes at least one GROUP");
    wc_group_options *wanted = limits();
    int result = each_group(argc, argv, update_one, wanted);
    wc_group_options_unref(wanted);
    return result;
}

/* ---- ls, inspect, rm ----------------------------------------------------------------------------- */

static void size_text(json_t *limits, const char *key, char out[32])
{
    json_int_t bytes = json_integer_value(json_object_get(limits, key));
    if (bytes)
        format_bytes((double)bytes, out);
    else
        snprintf(out, 32, "-");
}

static void cpus_text(json_t *limits, char out[32])
{
    json_int_t nano = json_integer_value(json_object_get(limits, "NanoCpus"));
    snprintf(out, 32, nano ? "%.2f" : "-", (double)nano / 1e9);
}

static int ls(int argc, char **argv)
{
    static const char *const headings[] = {"GROUP", "CONTAINERS", "MEMORY", "CPUS"};
    int quiet = 0;
    const option options[] = {{'q', "quiet", OPTION_FLAG, NULL, "only names", &quiet}};
    wc_error *err = NULL;
    wc_list *list = NULL;
    options_read_all("group ls", "Lists groups.", options, countof(options), argc, argv);
    TRY(wc_group_list(app_context(), &list, &err));
    table *out = table_new(headings, countof(headings));
    json_t *all = json_array();
    for (size_t i = 0; i < wc_list_count(list); i++) {
        json_t *group = describe(wc_list_group(list, i)), *has = json_object_get(group, "Limits");
        char count[16], bytes[32], processors[32];
        snprintf(count, sizeof count, "%zu", json_array_size(json_object_get(group, "Containers")));
        size_text(has, "Memory", bytes);
        cpus_text(has, processors);
        const char *cells[] = {wc_group_name(wc_list_group(list, i)), count, bytes, processors};
        table_row(out, cells);
        if (quiet && !wcctl.json)
            printf("%s\n", cells[0]);
        json_array_append_new(all, group);
    }
    if (wcctl.json)
        print_array(all);
    else
        json_decref(all);
    if (!wcctl.json && !quiet)
        table_print(out);
    table_free(out);
    wc_list_unref(list);
    return 0;
}

/* What it is, and how it is used now. */
static int32_t inspect_one(wc_group *group, void *arg, wc_error **err)
{
    wc_buf *text = NULL;
    int32_t code = wc_group_report(group, wcctl.cancel, &text, err);
    if (code)
        return code;
    json_t *one = describe(group), *report = json_of(text);
    static const char *const keys[] = {"Running", "Usage", "Promised", "Members"};
    for (size_t i = 0; i < countof(keys); i++)
        json_object_set(one, keys[i], json_object_get(report, keys[i]));
    json_decref(report);
    json_array_append_new(arg, one);
    return WC_OK;
}

static int inspect(int argc, char **argv)
{
    json_t *all = json_array();
    argc = options_read("group inspect", "GROUP [GROUP ...]", "Tells all about groups, and how they are used.", NULL, 0, 0,
                        argc, argv);
    if (!argc)
        die_usage("group inspect takes at least one GROUP");
    int result = each_group(argc, argv, inspect_one, all);
    char *text = json_dumps(all, 0);
    print_json(text, strlen(text));
    free(text);
    json_decref(all);
    return result;
}

static int32_t remove_one(wc_group *group, void *arg, wc_error **err)
{
    (void)arg;
    int32_t code = wc_group_remove(group, wcctl.cancel, err);
    if (!code && wcctl.json)
        print_texts("Name", wc_group_name(group), NULL);
    else if (!code)
        printf("%s\n", wc_group_name(group));
    return code;
}

static int rm(int argc, char **argv)
{
    argc = options_read("group rm", "GROUP [GROUP ...]", "Removes groups that have no containers.", NULL, 0, 0, argc,
                        argv);
    if (!argc)
        die_usage("group rm takes at least one GROUP");
    return each_group(argc, argv, remove_one, NULL);
}

/* ---- stats --------------------------------------------------------------------------------------- */

static json_int_t use_of(json_t *thing, const char *key)
{
    return json_integer_value(json_object_get(json_object_get(thing, "Usage"), key));
}

static void add_row(table *out, const char *name, json_t *thing, const char *part)
{
    char used[32], limit[32], both[80], processors[32], time[32], processes[24];
    format_bytes((double)use_of(thing, "Memory"), used);
    size_text(json_object_get(thing, "Limits"), "Memory", limit);
    cpus_text(json_object_get(thing, "Limits"), processors);
    snprintf(both, sizeof both, "%s / %s", used, limit);
    snprintf(time, sizeof time, "%.2fs", (double)use_of(thing, "Cpu") / 1e9);
    snprintf(processes, sizeof processes, "%" JSON_INTEGER_FORMAT, use_of(thing, "Pids"));
    const char *cells[] = {name, both, time, processors, part, processes};
    table_row(out, cells);
}

static int32_t stats_one(wc_group *group, void *arg, wc_error **err)
{
    (void)err;
    json_t *report = report_of(group), *member;
    size_t i;
    if (wcctl.json) {
        print_object(report);
        return WC_OK;
    }
    add_row(arg, wc_group_name(group), report, "");
    json_array_foreach(json_object_get(report, "Members"), i, member) {
        char part[16], name[160];
        snprintf(part, sizeof part, "%.1f%%", 100 * json_real_value(json_object_get(member, "CpuWeight")));
        snprintf(name, sizeof name, "  %s", json_string_value(json_object_get(member, "Name")));
        add_row(arg, name, member, part);
    }
    json_decref(report);
    return WC_OK;
}

int group_stats(int argc, char **argv)
{
    static const char *const headings[] = {"GROUP", "MEMORY / LIMIT", "CPU TIME", "CPUS", "CPU WEIGHT", "PIDS"};
    table *out = table_new(headings, countof(headings));
    int result = each_group(argc, argv, stats_one, out);
    if (!wcctl.json)
        table_print(out);
    table_free(out);
    return result;
}

static int stats(int argc, char **argv)
{
    argc = options_read("group stats", "GROUP [GROUP ...]", "Shows how groups are divided and used.", NULL, 0, 0, argc,
                        argv);
    if (!argc)
        die_usage("group stats takes at least one GROUP");
    return group_stats(argc, argv);
}

static const command commands[] = {
    {"create", create, "make a group"},
    {"inspect", inspect, "all about groups"},
    {"ls", ls, "list groups"},
    {"rm", rm, "remove groups"},
    {"stats", stats, "how groups are used"},
    {"update", update, "change limits"},
    {NULL, NULL, NULL},
};

static int group(int argc, char **argv)
{
    return subcommand("group", commands, argc, argv);
}

const command group_commands[] = {
    {"group", group, "limits that containers have together"},
    {NULL, NULL, NULL},
};
