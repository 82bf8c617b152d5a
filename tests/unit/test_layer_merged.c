/* SPDX-License-Identifier: Apache-2.0 */
/* Some layers of a random stack as one, on the others below, must look as all of them do. Usage:
 * [stacks [first seed]]. */
#include "layer_stack.h"

#include "layer/merged.h"


static char *path_of(const stack *s, size_t n)
{
    return test_text("%s/layer%zu.tar", s->dir, n);
}

static int32_t open_layer(void *self, size_t n, wci_fd *out, wc_error **err)
{
    char *path = path_of(self, n);
    int32_t rc = wci_file_open(path, WCI_OPEN_READ, 0, out, err);
    free(path);
    return rc;
}

static int32_t write_tar(void *self, const void *data, size_t size, wc_error **err)
{
    (void)err;
    tar_bytes(self, data, size);
    return WC_OK;
}

static void merge(stack *s, size_t below, int flags, tarball *out)
{
    WCI_CALL_NONE(call);
    const wci_tar_stack layers = {(size_t)s->layers, open_layer, NULL, s};
    const wci_sink to = {write_tar, out};
    wci_merged *merged = NULL;
    wc_error *err = NULL;
    if (wci_merged_read(&call, &layers, below, 0, &merged, &err) ||
        wci_merged_write(&call, merged, &layers, flags, &to, &err))
        stack_failed(s, "merging above", (int)below, err);
    wci_merged_free(merged);
}

static void keep_tar(const stack *s, int n, const tarball *tar)
{
    char *path = path_of(s, (size_t)n);
    test_write_file(path, tar->data, tar->size);
    free(path);
}

static void run_stack(const char *base, unsigned long long seed)
{
    uint64_t random = seed;
    stack s = {.model = model_new()};
    tarball merged = TARBALL_INIT;
    snprintf(s.dir, sizeof s.dir, "%s/%llu", base, seed);
    mkdir(s.dir, 0700);
    s.layers = 1 + (int)(model_random(&random) % MAX_LAYERS);
    int below = (int)(model_random(&random) % (uint64_t)s.layers);
    for (int i = 0; i < s.layers && !*s.problem; i++) {
        tarball t = TARBALL_INIT;
        model_random_layer(&random, s.model, &s.layer[i]);
        model_apply(&s.model, &s.layer[i]);
        stack_tar(&s, i, &t);
        keep_tar(&s, i, &t);
        if (i < below)
            stack_add(&s, i, &t);
        tar_free(&t);
    }
    merge(&s, (size_t)below, seed % 2 ? WCI_MERGED_DIRS_LAST : 0, &merged);
    int layers = s.layers;
    s.layers = below + 1;
    if (!*s.problem)
        stack_add(&s, below, &merged);
    if (!*s.problem)
        stack_mount(&s);
    if (!*s.problem)
        stack_compare(&s);
    s.layers = layers;
    tar_free(&merged);
    stack_end(&s, seed);
}

int main(int argc, char **argv)
{
    return stack_main("merged layers", run_stack, 1500, argc, argv);
}
