/* SPDX-License-Identifier: Apache-2.0 */
/* Commands on the life of containers beside starting and stopping. */
#include <stdlib.h>
#include <string.h>

#include "actions.h"

static int32_t for_pause(wc_container *c, action *a, wc_error **err)
{
    (void)a;
    return wc_container_pause(c, wcctl.cancel, err);
}

static int32_t for_unpause(wc_container *c, action *a, wc_error **err)
{
    (void)a;
    return wc_container_unpause(c, wcctl.cancel, err);
}

static int plain(const char *name, const char *about, action a, int argc, char **argv)
{
    argc = options_read(name, "CONTAINER [CONTAINER ...]", about, NULL, 0, 0, argc, argv);
    if (!argc)
        die_usage("%s takes at least one CONTAINER", name);
    return for_each(argc, argv, &a);
}

static int pause_command(int argc, char **argv)
{
    return plain("pause", "Holds all processes of containers.", (action){.act = for_pause}, argc, argv);
}

static int unpause(int argc, char **argv)
{
    return plain("unpause", "Lets the processes of paused containers go on.", (action){.act = for_unpause}, argc, argv);
}

/* The texts of the command line; NULL: as it was. */
typedef struct update_texts {
    const char *memory, *swap, *reservation, *cpus, *period, *quota, *shares, *cpuset, *mems, *pids, *restart;
} update_texts;

static void set_number(wc_update_options *to, const char *what, const char *text,
                       int64_t (*read)(const char *, const char *),
                       int32_t (*set)(wc_update_options *, int64_t, wc_error **))
{
    wc_error *err = NULL;
    if (text)
        TRY(set(to, read(what, text), &err));
}

static int64_t swap_bytes(const char *what, const char *text)
{
    return strcmp(text, "-1") ? value_bytes(what, text) : -1;
}

static wc_update_options *update_options(const update_texts *t)
{
    wc_error *err = NULL;
    wc_update_options *o = NULL;
    int64_t max = 0;
    TRY(wc_update_options_new(&o, &err));
    set_number(o, "--memory", t->memory, value_bytes, wc_update_options_set_memory);
    set_number(o, "--memory-swap", t->swap, swap_bytes, wc_update_options_set_memory_swap);
    set_number(o, "--memory-reservation", t->reservation, value_bytes, wc_update_options_set_memory_reservation);
    set_number(o, "--cpus", t->cpus, value_nano_cpus, wc_update_options_set_nano_cpus);
    set_number(o, "--cpu-shares", t->shares, value_number, wc_update_options_set_cpu_shares);
    set_number(o, "--pids-limit", t->pids, value_number, wc_update_options_set_pids_limit);
    if (t->period || t->quota)
        TRY(wc_update_options_set_cpu_quota(o, t->period ? value_number("--cpu-period", t->period) : 0,
                                            t->quota ? value_number("--cpu-quota", t->quota) : 0, &err));
    if (t->cpuset)
        TRY(wc_update_options_set_cpuset(o, t->cpuset, &err));
    if (t->mems)
        TRY(wc_update_options_set_cpuset_mems(o, t->mems, &err));
    if (t->restart) {
        char *policy = value_restart(t->restart, &max);
        TRY(wc_update_options_set_restart_policy(o, policy, max, &err));
        free(policy);
    }
    return o;
}

static int32_t for_update(wc_container *c, action *a, wc_error **err)
{
    return wc_container_update(c, a->options, wcctl.cancel, err);
}

static int update(int argc, char **argv)
{
    update_texts t = {0};
    const option options[] = {
        {'m', "memory", OPTION_TEXT, "SIZE", "memory limit", &t.memory},
        {0, "memory-swap", OPTION_TEXT, "SIZE", "memory plus swap, -1: unlimited", &t.swap},
        {0, "memory-reservation", OPTION_TEXT, "SIZE", "memory it keeps when memory is short", &t.reservation},
        {0, "cpus", OPTION_TEXT, "NUMBER", "processors, may be a fraction", &t.cpus},
        {0, "cpu-period", OPTION_TEXT, "MICROSECONDS", "period of the quota", &t.period},
        {0, "cpu-quota", OPTION_TEXT, "MICROSECONDS", "processor time in a period", &t.quota},
        {'c', "cpu-shares", OPTION_TEXT, "NUMBER", "relative weight", &t.shares},
        {0, "cpuset-cpus", OPTION_TEXT, "LIST", "processors it may use", &t.cpuset},
        {0, "cpuset-mems", OPTION_TEXT, "LIST", "memory nodes it may use", &t.mems},
        {0, "pids-limit", OPTION_TEXT, "NUMBER", "processes and threads, -1: no limit", &t.pids},
        {0, "restart", OPTION_TEXT, "no|always|unless-stopped|on-failure[:N]", "what comes after its end", &t.restart},
    };
    argc = options_read("update", "[OPTIONS] CONTAINER [CONTAINER ...]", "Changes limits and the restart policy.", options,
                        countof(options), 0, argc, argv);
    if (!argc)
        die_usage("update takes at least one CONTAINER");
    if (!memcmp(&t, &(update_texts){0}, sizeof t))
        die_usage("you must give at least one option: nothing is to be changed");
    wc_update_options *o = update_options(&t);
    int result = for_each(argc, argv, &(action){.act = for_update, .options = o});
    wc_update_options_unref(o);
    return result;
}

static int rename_command(int argc, char **argv)
{
    wc_error *err = NULL;
    argc = options_read("rename", "CONTAINER NAME", "Gives a container another name.", NULL, 0, 0, argc, argv);
    if (argc != 2)
        die_usage("rename takes CONTAINER and NAME");
    wc_container *container = open_container(argv[0]);
    TRY(wc_container_rename(container, argv[1], &err));
    if (wcctl.json)
        print_texts("Id", wc_container_id(container), "Name", argv[1], NULL);
    wc_container_unref(container);
    return 0;
}

const command life_commands[] = {
    {"pause", pause_command, "hold all processes of containers"},
    {"unpause", unpause, "let the processes of paused containers go on"},
    {"update", update, "change limits and the restart policy"},
    {"rename", rename_command, "give a container another name"},
    {NULL, NULL, NULL},
};
