/* SPDX-License-Identifier: Apache-2.0 */
/* One suite for every backend, through the public API alone.
 *
 *     conformance BACKEND [PLUGIN.so]
 *
 * What a backend declares unsupported, by name, is skipped and counted. */
#include "conformance/harness.h"

static void make_layout(void)
{
    char *command =
        test_text("python3 '%s/tests/conformance/image.py' '%s/layout' latest '%s/tests/testprog'",
                  WC_TEST_SOURCE_DIR, settings.dir, WC_TEST_BINARY_DIR);
    if (test_run(command, NULL) != 0) {
        fprintf(stderr, "cannot make the image: %s\n", command);
        exit(1);
    }
    free(command);
}

static void pull_image(void)
{
    char *source = test_text("oci:%s/layout:latest", settings.dir);
    wc_transfer_options *transfer = NULL;
    wc_image *image = NULL;
    wc_context *opened = harness_open_context();
    good(wc_transfer_options_new(&transfer, &err));
    good(wc_transfer_options_add_name(transfer, IMAGE, &err));
    good(wc_image_pull(opened, source, transfer, NULL, &image, &err));
    wc_image_unref(image);
    wc_transfer_options_unref(transfer);
    wc_context_unref(opened);
    free(source);
}

static void need_what_the_process_backend_needs(void)
{
    if (strcmp(settings.backend, "process") != 0)
        return;
    if (!getenv("WC_TEST_USER")) /* set by tests/support/as_user.sh */
        test_need_root();
    if (!test_have_program("crun") && !test_have_program("runc"))
        test_skip("no OCI runtime (crun or runc)");
}

/* A host may have a runtime and yet not let it work: no cgroups, no overlay, no rights. */
static void skip_when_nothing_starts(void)
{
    wc_error *err = NULL;
    context = harness_open_context();
    int32_t rc = wc_container_start(create(SCRIPT("exit:0")), 0, NULL, NULL, &err);
    if (rc == WC_E_MISSING || rc == WC_E_PERMISSION) {
        char *why = test_text("%s", wc_error_message(err));
        test_remove_dir(settings.dir);
        test_skip(why);
    }
    wc_error_unref(err);
    harness_remove_containers();
    harness_release();
}

static void report_skipped(void)
{
    char *path = test_text("%s/skipped", settings.dir);
    char *text = test_read_file(path, NULL);
    for (char *at = text ? strtok(text, "\n") : NULL; at; at = strtok(NULL, "\n"))
        printf("what backend '%s' does not do: %s\n", settings.backend, at);
    free(text);
    free(path);
}

static int run_suite(void)
{
    Suite *suite = suite_create(settings.backend);
    suite_add_tcase(suite, life_tests());
    suite_add_tcase(suite, stream_tests());
    suite_add_tcase(suite, log_tests());
    suite_add_tcase(suite, exec_tests());
    suite_add_tcase(suite, sharing_tests());
    suite_add_tcase(suite, cancel_tests());
    suite_add_tcase(suite, look_tests());
    suite_add_tcase(suite, copy_tests());
    suite_add_tcase(suite, pause_tests());
    suite_add_tcase(suite, network_tests());
    suite_add_tcase(suite, restart_tests());
    suite_add_tcase(suite, stats_tests());
    suite_add_tcase(suite, update_tests());
    suite_add_tcase(suite, health_tests());
    int failed = test_main(suite);
    report_skipped();
    return failed;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: %s BACKEND [PLUGIN.so]\n", argv[0]);
        return 2;
    }
    settings.self = argv[0];
    settings.backend = argv[1];
    settings.plugin = argc > 2 && *argv[2] ? argv[2] : NULL;
    if (argc == 7 && strcmp(argv[3], "--role") == 0) {
        settings.root = argv[4];
        return sharing_role(argv[5], argv[6]);
    }
    need_what_the_process_backend_needs();
    settings.dir = test_make_dir();
    settings.root = test_text("%s/store", settings.dir);
    make_layout();
    pull_image();
    skip_when_nothing_starts();
    int failed = run_suite();
    free(settings.root);
    test_remove_dir(settings.dir);
    return failed;
}
