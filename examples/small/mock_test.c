/* SPDX-License-Identifier: Apache-2.0 */
/* How an application tests itself without root, runtime or network: on the mock backend, where a
 * container does what its command line scripts, failures included (docs/mock.md).
 *
 *     mock_test IMAGE      (WC_ROOT names the store) */
#include <stdio.h>
#include <stdlib.h>

#include <wincontainer/wincontainer.h>

#define EXPECT(condition)                                                                        \
    do {                                                                                         \
        if (!(condition)) {                                                                      \
            fprintf(stderr, "line %d: expected %s\n", __LINE__, #condition);                    \
            exit(1);                                                                             \
        }                                                                                        \
    } while (0)

/* The code under test: runs a build step, gives its exit code, or -1 when it could not be run. */
static int run_step(wc_context *context, const char *image, const char *const *args, size_t count, const char *fault)
{
    wc_container_options *options = NULL;
    wc_container *container = NULL;
    int32_t exit_code = -1;
    EXPECT(wc_container_options_new(image, &options, NULL) == WC_OK);
    EXPECT(wc_container_options_set_command(options, args, count, NULL) == WC_OK);
    if (fault)
        EXPECT(wc_container_options_add_label(options, "mock.fault.start", fault, NULL) == WC_OK);
    EXPECT(wc_container_create(context, options, NULL, &container, NULL) == WC_OK);
    if (wc_container_start(container, 0, NULL, NULL, NULL) == WC_OK)
        EXPECT(wc_container_wait(container, WC_WAIT_NOT_RUNNING, NULL, &exit_code, NULL) == WC_OK);
    EXPECT(wc_container_remove(container, WC_REMOVE_FORCE, NULL, NULL) == WC_OK);
    wc_container_unref(container);
    wc_container_options_unref(options);
    return exit_code;
}

int main(int argc, char **argv)
{
    static const char *const good[] = {"outln:compiled"};
    static const char *const bad[] = {"err:syntax error\n", "exit:2"};
    wc_context_options *options = NULL;
    wc_context *context = NULL;
    wc_image *image = NULL;
    EXPECT(argc == 2);
    EXPECT(wc_context_options_new(&options, NULL) == WC_OK);
    if (getenv("WC_ROOT"))
        EXPECT(wc_context_options_set_root(options, getenv("WC_ROOT"), NULL) == WC_OK);
    EXPECT(wc_context_options_set_backend(options, "mock", NULL) == WC_OK);
    EXPECT(wc_context_open(options, NULL, &context, NULL) == WC_OK);
    EXPECT(wc_image_pull(context, argv[1], NULL, NULL, &image, NULL) == WC_OK);

    EXPECT(run_step(context, wc_image_id(image), good, 1, NULL) == 0);
    EXPECT(run_step(context, wc_image_id(image), bad, 2, NULL) == 2);
    EXPECT(run_step(context, wc_image_id(image), good, 1, "WC_E_RUNTIME") == -1);
    puts("all steps behaved");

    wc_image_unref(image);
    wc_context_unref(context);
    wc_context_options_unref(options);
    return 0;
}
