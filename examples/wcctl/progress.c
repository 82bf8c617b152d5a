/* SPDX-License-Identifier: Apache-2.0 */
/* How long work shows itself, on standard error: bars on a terminal, a line for each finished part
 * elsewhere, JSON lines for programs. */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "wcctl.h"

typedef enum style {
    STYLE_NONE,
    STYLE_PLAIN,
    STYLE_BARS,
    STYLE_JSON,
} style;

typedef struct line {
    char *id;
    int32_t kind;
    int64_t current, total;
} line;

struct progress {
    style style;
    line *lines;
    size_t count, drawn;
    int64_t last_draw_ns;
    char *last_done; /* what was complete last */
};

static const char *verb(int32_t kind)
{
    switch (kind) {
    case WC_PROGRESS_RESOLVE:
        return "Resolving";
    case WC_PROGRESS_DOWNLOAD:
        return "Downloading";
    case WC_PROGRESS_UNPACK:
        return "Unpacking";
    case WC_PROGRESS_WRITE:
        return "Writing";
    case WC_PROGRESS_EXISTS:
        return "Already there";
    case WC_PROGRESS_DONE:
        return "Done";
    case WC_PROGRESS_WAIT:
        return "Waiting";
    case WC_PROGRESS_UPLOAD:
        return "Uploading";
    default:
        return "";
    }
}

static style choose_style(void)
{
    const char *name = wcctl.progress ? wcctl.progress : "auto";
    if (!strcmp(name, "none"))
        return STYLE_NONE;
    if (!strcmp(name, "plain"))
        return STYLE_PLAIN;
    if (!strcmp(name, "json"))
        return STYLE_JSON;
    if (strcmp(name, "auto"))
        die_usage("--progress takes auto, plain, json or none, not '%s'", name);
    return isatty(STDERR_FILENO) ? STYLE_BARS : STYLE_PLAIN;
}

void progress_check(void)
{
    choose_style();
}

progress *progress_new(int quiet)
{
    progress *p = xrealloc(NULL, sizeof *p);
    *p = (progress){.style = quiet ? STYLE_NONE : choose_style()};
    return p;
}

static int terminal_width(void)
{
    struct winsize size;
    return !ioctl(STDERR_FILENO, TIOCGWINSZ, &size) && size.ws_col > 20 ? size.ws_col : 80;
}

static void draw_line(const line *l, int columns)
{
    char id[16], now[32], all[32], text[256];
    int bar = columns - 60 > 40 ? 40 : columns - 60;
    format_bytes((double)l->current, now);
    format_bytes((double)l->total, all);
    int n = snprintf(text, sizeof text, "%-12s  %-13s", short_id(l->id, id), verb(l->kind));
    int moving = l->kind != WC_PROGRESS_DONE && l->kind != WC_PROGRESS_EXISTS;
    if (moving && l->total > 0 && bar > 4) {
        int full = (int)(l->current * bar / l->total);
        n += snprintf(text + n, sizeof text - (size_t)n, " [%.*s%*s]", full > bar ? bar : full,
                      "========================================", bar - full, "");
    }
    if (moving && l->current > 0)
        snprintf(text + n, sizeof text - (size_t)n, l->total > 0 ? " %s/%s" : " %s", now, all);
    fprintf(stderr, "\033[2K%.*s\n", columns - 1, text);
}

static void draw(progress *p)
{
    int columns = terminal_width();
    if (p->drawn)
        fprintf(stderr, "\033[%zuA", p->drawn);
    for (size_t i = 0; i < p->count; i++)
        draw_line(&p->lines[i], columns);
    p->drawn = p->count;
    fflush(stderr);
}

static line *find_line(progress *p, const char *id)
{
    for (size_t i = 0; i < p->count; i++)
        if (!strcmp(p->lines[i].id, id))
            return &p->lines[i];
    p->lines = xrealloc(p->lines, (p->count + 1) * sizeof *p->lines);
    p->lines[p->count] = (line){xstrdup(id), 0, 0, -1};
    return &p->lines[p->count++];
}

static int64_t clock_ns(void)
{
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void report_bars(progress *p, const wc_progress *report)
{
    line *l = find_line(p, wc_progress_id(report));
    int changed = l->kind != wc_progress_kind(report);
    l->kind = wc_progress_kind(report);
    l->current = wc_progress_current(report);
    l->total = wc_progress_total(report);
    int64_t now = clock_ns();
    if (!changed && now - p->last_draw_ns < 50000000)
        return;
    p->last_draw_ns = now;
    draw(p);
}

static void report_plain(progress *p, const wc_progress *report)
{
    char id[16];
    line *l = find_line(p, wc_progress_id(report));
    int32_t kind = wc_progress_kind(report);
    int news = kind == WC_PROGRESS_DONE || kind == WC_PROGRESS_EXISTS || kind == WC_PROGRESS_WAIT;
    if (l->kind != kind && news)
        fprintf(stderr, "%s: %s\n", short_id(l->id, id), verb(kind));
    l->kind = kind;
}

static void report_json(const wc_progress *report)
{
    fprintf(stderr, "{\"id\":\"%s\",\"action\":\"%s\",\"current\":%lld,\"total\":%lld}\n",
            wc_progress_id(report), verb(wc_progress_kind(report)),
            (long long)wc_progress_current(report), (long long)wc_progress_total(report));
}

static void remember(progress *p, const char *id)
{
    free(p->last_done);
    p->last_done = xstrdup(id);
}

int32_t progress_report(const wc_progress *report, uintptr_t payload)
{
    progress *p = (progress *)payload;
    if (wc_progress_kind(report) == WC_PROGRESS_MESSAGE) {
        if (p->style == STYLE_PLAIN)
            fprintf(stderr, "%s\n", wc_progress_message(report));
        return 0;
    }
    if (!*wc_progress_id(report))
        return 0;
    if (wc_progress_kind(report) == WC_PROGRESS_DONE)
        remember(p, wc_progress_id(report));
    if (p->style == STYLE_BARS)
        report_bars(p, report);
    else if (p->style == STYLE_PLAIN)
        report_plain(p, report);
    else if (p->style == STYLE_JSON)
        report_json(report);
    return 0;
}

const char *progress_last_done(const progress *p)
{
    return p->last_done ? p->last_done : "";
}

void progress_end(progress *p)
{
    if (p->style == STYLE_BARS && p->count)
        draw(p);
    for (size_t i = 0; i < p->count; i++)
        free(p->lines[i].id);
    free(p->lines);
    free(p->last_done);
    free(p);
}
