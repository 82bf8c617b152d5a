/* SPDX-License-Identifier: Apache-2.0 */
/* parallel_pulls ROOT SOURCE... : pulls all sources at once, each on a thread of its own, through one
 * context. Prints what failed; ends with 1 then. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include <wincontainer/wincontainer.h>

typedef struct pull {
    pthread_t thread;
    wc_context *context;
    const char *source;
    int failed;
} pull;

static int complain(const char *what, wc_error *err)
{
    wc_buf *text = NULL;
    wc_error_format(err, &text);
    printf("%s: %s\n", what, text ? wc_buf_data(text) : "?");
    wc_buf_unref(text);
    wc_error_unref(err);
    return 1;
}

static void *run(void *arg)
{
    pull *p = arg;
    wc_image *image = NULL;
    wc_error *err = NULL;
    if (wc_image_pull(p->context, p->source, NULL, NULL, &image, &err))
        p->failed = complain(p->source, err);
    wc_image_unref(image);
    return NULL;
}

int main(int argc, char **argv)
{
    wc_context_options *options = NULL;
    wc_context *context = NULL;
    wc_error *err = NULL;
    int count = argc - 2, failed = 0;
    pull *pulls = count > 0 ? calloc((size_t)count, sizeof *pulls) : NULL;
    if (!pulls || wc_context_options_new(&options, &err) ||
        wc_context_options_set_root(options, argv[1], &err) ||
        wc_context_options_set_max_transfers(options, 8, &err) ||
        wc_context_open(options, NULL, &context, &err))
        return complain("context", err);
    for (int i = 0; i < count; i++) {
        pulls[i] = (pull){.context = context, .source = argv[i + 2]};
        pthread_create(&pulls[i].thread, NULL, run, &pulls[i]);
    }
    for (int i = 0; i < count; i++) {
        pthread_join(pulls[i].thread, NULL);
        failed |= pulls[i].failed;
    }
    free(pulls);
    wc_context_unref(context);
    wc_context_options_unref(options);
    return failed;
}
