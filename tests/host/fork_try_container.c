/* SPDX-License-Identifier: Apache-2.0 */
#include "host/fork_try.h"

TRY_PLAIN(wc_container_export, wc_container_export(tried->container, "/no/such/dir/file", NULL, err))
TRY_PLAIN(wc_container_export_fd, wc_container_export_fd(tried->container, 1, NULL, err))
TRY(wc_container_create, wc_container, wc_container_create(tried_context, tried->options, NULL, &out, err))
TRY(wc_container_open, wc_container, wc_container_open(tried_context, wc_container_id(tried->container), &out, err))
TRY(wc_container_start, wc_stream, wc_container_start(tried->container, ALL, NULL, &out, err))
TRY(wc_container_attach, wc_stream, wc_container_attach(tried->container, ALL, NULL, &out, err))
TRY_PLAIN(wc_container_kill, wc_container_kill(tried->container, "KILL", err))
TRY_PLAIN(wc_container_stop, wc_container_stop(tried->container, 0, NULL, err))
TRY_PLAIN(wc_container_restart, wc_container_restart(tried->container, 0, NULL, err))
TRY_PLAIN(wc_container_pause, wc_container_pause(tried->container, NULL, err))
TRY_PLAIN(wc_container_unpause, wc_container_unpause(tried->container, NULL, err))
static int32_t try_wc_container_wait_any(wc_error **err)
{
    uint64_t met = 77;
    int32_t rc = wc_container_wait_any(tried->container, WC_WAITS_REMOVED, NULL, &met, NULL, err);
    return met == 77 ? rc : TOUCHED;
}

static int32_t try_wc_container_update(wc_error **err)
{
    wc_update_options *options = NULL;
    if (wc_update_options_new(&options, NULL))
        return WC_E_NOMEM;
    int32_t rc = wc_container_update(tried->container, options, NULL, err);
    wc_update_options_unref(options);
    return rc;
}

TRY_PLAIN(wc_container_rename, wc_container_rename(tried->container, "another", err))
TRY(wc_container_stats, wc_stats, wc_container_stats(tried->container, NULL, &out, err))
TRY(wc_container_processes, wc_buf, wc_container_processes(tried->container, NULL, 0, NULL, &out, err))
TRY(wc_stats_open, wc_stats_reader, wc_stats_open(tried_context, NULL, 0, 1, &out, err))
TRY(wc_stats_next, wc_list, wc_stats_next(tried->stats, NULL, &out, err))
TRY_PLAIN(wc_container_remove, wc_container_remove(tried->container, WC_REMOVE_FORCE, NULL, err))
TRY_PLAIN(wc_container_copy_in, wc_container_copy_in(tried->container, "/etc/passwd", "/tmp/x", NULL, err))
TRY_PLAIN(wc_container_copy_out, wc_container_copy_out(tried->container, "/marker", "/no/such/dir", NULL, err))
TRY_PLAIN(wc_container_get_archive, wc_container_get_archive(tried->container, "/marker", 1, NULL, err))
TRY_PLAIN(wc_container_put_archive, wc_container_put_archive(tried->container, "/tmp", 0, NULL, err))
TRY(wc_container_inspect, wc_container_info, wc_container_inspect(tried->container, &out, err))
TRY(wc_container_diff, wc_buf, wc_container_diff(tried->container, NULL, &out, err))
TRY(wc_container_list, wc_list, wc_container_list(tried_context, &out, err))
TRY(wc_container_logs, wc_logs, wc_container_logs(tried->container, NULL, &out, err))
TRY(wc_logs_next, wc_buf, wc_logs_next(tried->logs, NULL, NULL, &out, 0, NULL, err))
TRY_PLAIN(wc_process_kill, wc_process_kill(tried->process, "KILL", err))
TRY_PLAIN(wc_stream_close_write, wc_stream_close_write(tried->stream, err))
TRY_PLAIN(wc_stream_resize, wc_stream_resize(tried->stream, 80, 25, err))

static int32_t try_wc_container_exec(wc_error **err)
{
    const char *words[] = {PROGRAM, "exit:0"};
    wc_exec_options *options = NULL;
    wc_process *process = NULL;
    wc_stream *stream = NULL;
    if (wc_exec_options_new(words, 2, &options, NULL))
        return WC_E_NOMEM;
    int32_t rc = wc_container_exec(tried->container, options, ALL, NULL, &process, &stream, err);
    wc_exec_options_unref(options);
    return process || stream ? TOUCHED : rc;
}

static int32_t try_wc_container_wait(wc_error **err)
{
    int32_t code = -77, rc = wc_container_wait(tried->container, WC_WAIT_NOT_RUNNING, NULL, &code, err);
    return code == -77 ? rc : TOUCHED;
}

static int32_t try_wc_process_wait(wc_error **err)
{
    int32_t code = -77, rc = wc_process_wait(tried->process, NULL, &code, err);
    return code == -77 ? rc : TOUCHED;
}

static int32_t try_wc_stream_read(wc_error **err)
{
    int32_t channel = -77;
    char data[8];
    size_t got = 77;
    int32_t rc = wc_stream_read(tried->stream, &channel, data, sizeof data, &got, 0, NULL, err);
    return channel == -77 && got == 77 ? rc : TOUCHED;
}

static int32_t try_wc_stream_write(wc_error **err)
{
    size_t put = 77;
    int32_t rc = wc_stream_write(tried->stream, "x", 1, &put, 0, NULL, err);
    return put == 77 ? rc : TOUCHED;
}

const attempt fork_try_container[] = {
    ENTRY(wc_container_export),
    ENTRY(wc_container_export_fd),
    ENTRY(wc_container_create),
    ENTRY(wc_container_open),
    ENTRY(wc_container_start),
    ENTRY(wc_container_attach),
    ENTRY(wc_container_kill),
    ENTRY(wc_container_stop),
    ENTRY(wc_container_restart),
    ENTRY(wc_container_pause),
    ENTRY(wc_container_unpause),
    ENTRY(wc_container_rename),
    ENTRY(wc_container_stats),
    ENTRY(wc_container_processes),
    ENTRY(wc_stats_open),
    ENTRY(wc_stats_next),
    ENTRY(wc_container_update),
    ENTRY(wc_container_wait_any),
    ENTRY(wc_container_remove),
    ENTRY(wc_container_copy_in),
    ENTRY(wc_container_copy_out),
    ENTRY(wc_container_get_archive),
    ENTRY(wc_container_put_archive),
    ENTRY(wc_container_inspect),
    ENTRY(wc_container_diff),
    ENTRY(wc_container_list),
    ENTRY(wc_container_logs),
    ENTRY(wc_logs_next),
    ENTRY(wc_process_kill),
    ENTRY(wc_stream_close_write),
    ENTRY(wc_stream_resize),
    ENTRY(wc_container_exec),
    ENTRY(wc_container_wait),
    ENTRY(wc_process_wait),
    ENTRY(wc_stream_read),
    ENTRY(wc_stream_write),
    {NULL, NULL, 0},
};
