/* SPDX-License-Identifier: Apache-2.0 */
/* The host's memory functions: taken before anything else or not at all, used for everything, and able to fail. */
#include <stdatomic.h>

#include "fixture.h"

static atomic_int live, calls, broken;

static void *reallocate(void *ptr, size_t size, uintptr_t payload)
{
    ck_assert_uint_eq(payload, 42);
    atomic_fetch_add(&calls, 1);
    if (atomic_load(&broken))
        return NULL;
    void *out = realloc(ptr, size);
    if (out && !ptr)
        atomic_fetch_add(&live, 1);
    return out;
}

static void release(void *ptr, uintptr_t payload)
{
    ck_assert_uint_eq(payload, 42);
    ck_assert_ptr_nonnull(ptr);
    atomic_fetch_sub(&live, 1);
    free(ptr);
}

static const wc_allocator ours = {sizeof ours, reallocate, release, 42};

START_TEST(incomplete_ones_are_refused)
{
    wc_allocator wrong = ours;
    bad(wc_set_allocator(NULL, &err), WC_E_INVALID);
    wrong.struct_size = 8;
    bad(wc_set_allocator(&wrong, &err), WC_E_INVALID);
    bad(wc_set_allocator(&ours, &err), WC_E_BUSY); /* those errors took memory */
}
END_TEST

START_TEST(before_anything_else)
{
    ck_assert_int_eq(wc_set_allocator(&(wc_allocator){sizeof ours, NULL, release, 0}, NULL), WC_E_INVALID);
    ck_assert_int_eq(wc_set_allocator(&(wc_allocator){8, reallocate, release, 0}, NULL), WC_E_INVALID);
    ck_assert_int_eq(wc_set_allocator(&ours, NULL), WC_OK);
    setup();
    ck_assert_int_gt(atomic_load(&live), 0);
    wc_image_unref(two_layers());
    ck_assert_int_gt(atomic_load(&calls), 100);
    bad(wc_set_allocator(&ours, &err), WC_E_BUSY);
    teardown();
    ck_assert_int_eq(atomic_load(&live), 0);
}
END_TEST

START_TEST(none_is_left)
{
    wc_container_options *options = NULL;
    ck_assert_int_eq(wc_set_allocator(&ours, NULL), WC_OK);
    atomic_store(&broken, 1);
    ck_assert_int_eq(wc_container_options_new("two", &options, NULL), WC_E_NOMEM);
    ck_assert_ptr_null(options);
    atomic_store(&broken, 0);
    good(wc_container_options_new("two", &options, &err));
    wc_container_options_unref(options);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("allocator");
    TCase *c = tcase_create("allocator");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, incomplete_ones_are_refused);
    tcase_add_test(c, before_anything_else);
    tcase_add_test(c, none_is_left);
    suite_add_tcase(suite, c);
    return test_main(suite);
}
