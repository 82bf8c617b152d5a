/* SPDX-License-Identifier: Apache-2.0 */
/* Prints the events of a store in a host's own poll loop: nothing is called on a foreign thread.
 *
 *     watch_events SECONDS      (WC_ROOT names the store) */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <wincontainer/wincontainer.h>

static void drain(wc_events *events)
{
    wc_event *event = NULL;
    while (wc_events_next(events, 0, NULL, &event, NULL) == WC_OK) {
        printf("%s %s %.12s %s\n", wc_event_type(event), wc_event_action(event), wc_event_id(event),
               wc_event_attributes(event));
        wc_event_unref(event);
    }
    fflush(stdout);
}

int main(int argc, char **argv)
{
    wc_error *err = NULL;
    wc_context_options *options = NULL;
    wc_context *context = NULL;
    wc_events *events = NULL;
    time_t end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 60);
    if (wc_context_options_new(&options, &err) ||
        (getenv("WC_ROOT") && wc_context_options_set_root(options, getenv("WC_ROOT"), &err)) ||
        wc_context_open(options, NULL, &context, &err) || wc_events_open(context, "", &events, &err)) {
        fprintf(stderr, "%s\n", wc_error_message(err));
        return 1;
    }
    drain(events);
    while (time(NULL) < end) {
        struct pollfd wait = {.fd = (int)wc_events_fd(events), .events = POLLIN};
        poll(&wait, 1, 1000);
        drain(events);
    }
    wc_events_unref(events);
    wc_context_unref(context);
    wc_context_options_unref(options);
    return 0;
}
