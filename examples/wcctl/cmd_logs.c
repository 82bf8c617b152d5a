/* SPDX-License-Identifier: Apache-2.0 */
/* logs: what a container wrote. */
#include <stdlib.h>
#include <string.h>

#include "wcctl.h"

typedef struct log_style {
    int timestamps, flush;
} log_style;

/* As Docker's log files have it. */
static void print_log_json(int32_t channel, const char *when, const wc_buf *line)
{
    print_object(json_pack("{s:o, s:s, s:s}", "log", json_bytes(wc_buf_data(line), wc_buf_size(line)), "stream",
                           channel == WC_STREAM_STDERR ? "stderr" : "stdout", "time", when));
}

static void print_log_line(const log_style *style, int32_t channel, int64_t time_ns, const wc_buf *line)
{
    FILE *to = channel == WC_STREAM_STDERR && !wcctl.json ? stderr : stdout;
    char when[64];
    format_time(time_ns, when);
    if (to == stderr) /* which has no buffer: both may go to one place */
        fflush(stdout);
    if (wcctl.json) {
        print_log_json(channel, when, line);
    } else {
        if (style->timestamps)
            fprintf(to, "%s ", when);
        fwrite(wc_buf_data(line), 1, wc_buf_size(line), to);
    }
    if (style->flush)
        fflush(to);
}

static void print_log(wc_logs *reader, const log_style *style)
{
    for (;;) {
        wc_error *err = NULL;
        int32_t channel = 0;
        int64_t when = 0;
        wc_buf *line = NULL;
        int32_t code = wc_logs_next(reader, &channel, &when, &line, -1, wcctl.cancel, &err);
        if (code == WC_E_CLOSED) {
            wc_error_unref(err);
            return;
        }
        TRY(code);
        print_log_line(style, channel, when, line);
        wc_buf_unref(line);
    }
}

int logs_command(int argc, char **argv)
{
    int follow = 0, timestamps = 0;
    const char *tail = NULL, *since = NULL, *until = NULL;
    const option options[] = {
        {'f', "follow", OPTION_FLAG, NULL, "go on until the container ends", &follow},
        {'n', "tail", OPTION_TEXT, "LINES|all", "only the last lines", &tail},
        {0, "since", OPTION_TEXT, "TIME", "only from this time on", &since},
        {0, "until", OPTION_TEXT, "TIME", "only up to this time", &until},
        {'t', "timestamps", OPTION_FLAG, NULL, "show when", &timestamps},
    };
    wc_error *err = NULL;
    wc_log_options *o = NULL;
    wc_logs *reader = NULL;
    argc = options_read("logs", "[OPTIONS] CONTAINER", "Prints what a container wrote.", options, countof(options), 0,
                        argc, argv);
    if (argc != 1)
        die_usage("logs takes one CONTAINER");
    wc_container *container = open_container(argv[0]);
    TRY(wc_log_options_new(&o, &err));
    TRY(wc_log_options_set_follow(o, follow, &err));
    if (tail && strcmp(tail, "all"))
        TRY(wc_log_options_set_tail(o, value_number("--tail", tail), &err));
    if (since)
        TRY(wc_log_options_set_since(o, value_time_ns("--since", since), &err));
    if (until)
        TRY(wc_log_options_set_until(o, value_time_ns("--until", until), &err));
    TRY(wc_container_logs(container, o, &reader, &err));
    print_log(reader, &(log_style){timestamps, follow});
    wc_logs_unref(reader);
    wc_log_options_unref(o);
    wc_container_unref(container);
    return 0;
}
