/* SPDX-License-Identifier: Apache-2.0 */
/* Random stacks of layers, unpacked each into its T, linked into its X and mounted, must look as a
 * plain serial application of the same entries does. Usage: [stacks [first seed]]. */
#include "layer_stack.h"

static int stacks = 2000;
static unsigned long long first_seed = 1;

static void run_stack(const char *base, unsigned long long seed)
{
    uint64_t random = seed;
    stack s = {.model = model_new()};
    snprintf(s.dir, sizeof s.dir, "%s/%llu", base, seed);
    mkdir(s.dir, 0700);
    s.layers = 1 + (int)(model_random(&random) % MAX_LAYERS);
    for (int i = 0; i < s.layers && !*s.problem; i++) {
        tarball t = TARBALL_INIT;
        model_random_layer(&random, s.model, &s.layer[i]);
        model_apply(&s.model, &s.layer[i]);
        stack_tar(&s, i, &t);
        stack_add(&s, i, &t);
        tar_free(&t);
    }
    if (!*s.problem)
        stack_mount(&s);
    if (!*s.problem)
        stack_compare(&s);
    stack_end(&s, seed);
}

START_TEST(mounted_stacks_equal_serial_application)
{
    char *base = stack_begin_all();
    for (int i = 0; i < stacks; i++)
        run_stack(base, first_seed + (unsigned long long)i);
    stack_end_all(base);
}
END_TEST

int main(int argc, char **argv)
{
    test_need_root();
    if (!stack_can_mount())
        test_skip("overlay mounts are not possible here");
    if (argc > 1)
        stacks = atoi(argv[1]);
    if (argc > 2)
        first_seed = strtoull(argv[2], NULL, 10);
    TCase *tc = tcase_create("equality");
    tcase_set_timeout(tc, 1800);
    tcase_add_test(tc, mounted_stacks_equal_serial_application);
    Suite *suite = suite_create("layer equality");
    suite_add_tcase(suite, tc);
    return test_main(suite);
}
