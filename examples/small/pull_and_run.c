/* SPDX-License-Identifier: Apache-2.0 */
/* Pulls an image, runs a command in a container from it, prints what it wrote.
 *
 *     pull_and_run IMAGE COMMAND [ARG ...]      (WC_ROOT and WC_BACKEND choose store and backend) */
#include <stdio.h>
#include <stdlib.h>

#include <wincontainer/wincontainer.h>

static void must(int32_t code, wc_error *err)
{
    if (code == WC_OK)
        return;
    fprintf(stderr, "%s\n", wc_error_message(err));
    exit(1);
}

static wc_context *open_store(void)
{
    wc_error *err = NULL;
    wc_context_options *options = NULL;
    wc_context *context = NULL;
    must(wc_context_options_new(&options, &err), err);
    if (getenv("WC_ROOT"))
        must(wc_context_options_set_root(options, getenv("WC_ROOT"), &err), err);
    if (getenv("WC_BACKEND"))
        must(wc_context_options_set_backend(options, getenv("WC_BACKEND"), &err), err);
    must(wc_context_open(options, NULL, &context, &err), err);
    wc_context_options_unref(options);
    return context;
}

int main(int argc, char **argv)
{
    wc_error *err = NULL;
    wc_image *image = NULL;
    wc_container_options *options = NULL;
    wc_container *container = NULL;
    wc_stream *stream = NULL;
    char data[4096];
    size_t got;
    int32_t channel, exit_code;

    if (argc < 3) {
        fprintf(stderr, "usage: pull_and_run IMAGE COMMAND [ARG ...]\n");
        return 2;
    }
    wc_context *context = open_store();
    must(wc_image_pull(context, argv[1], NULL, NULL, &image, &err), err);

    must(wc_container_options_new(wc_image_id(image), &options, &err), err);
    must(wc_container_options_set_command(options, (const char *const *)argv + 2, (size_t)argc - 2, &err), err);
    must(wc_container_options_set_network(options, "none", &err), err);
    must(wc_container_create(context, options, NULL, &container, &err), err);

    must(wc_container_start(container, WC_ATTACH_STDOUT | WC_ATTACH_STDERR, NULL, &stream, &err), err);
    while (wc_stream_read(stream, &channel, data, sizeof data, &got, -1, NULL, NULL) == WC_OK)
        fwrite(data, 1, got, channel == WC_STREAM_STDERR ? stderr : stdout);
    must(wc_container_wait(container, WC_WAIT_NOT_RUNNING, NULL, &exit_code, &err), err);
    must(wc_container_remove(container, 0, NULL, &err), err);

    wc_stream_unref(stream);
    wc_container_unref(container);
    wc_container_options_unref(options);
    wc_image_unref(image);
    wc_context_unref(context);
    return exit_code;
}
