/* SPDX-License-Identifier: Apache-2.0 */
/* Linked into the helper of sanitized builds: it is started with an empty environment, so it learns in this
 * way into which files its sanitizers are to write what they find. */
#define OPTIONS "log_path=" WC_TEST_REPORTS "/helper:log_exe_name=1"
#define SEEN __attribute__((visibility("default"))) /* by a run time in a shared object */

SEEN const char *__asan_default_options(void);
SEEN const char *__tsan_default_options(void);
SEEN const char *__ubsan_default_options(void);

const char *__asan_default_options(void)
{
    return OPTIONS;
}

const char *__tsan_default_options(void)
{
    return OPTIONS;
}

const char *__ubsan_default_options(void)
{
    return OPTIONS;
}
