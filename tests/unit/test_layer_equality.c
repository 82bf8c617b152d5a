/* SPDX-License-Identifier: Apache-2.0 */
/* Random stacks of layers, unpacked each into its T, linked into its X and mounted, must look as a
 * plain serial application of the same entries does. Usage: [stacks [first seed]]. */
#include "layer_stack.h"

#include "platform/tree.h"


/* ---- The view as a tar -------------------------------------------------------------------------- */

typedef struct tar_text {
    wci_str text;
    size_t used; /* read so far */
} tar_text;

static int32_t write_text(void *self, const void *data, size_t size, wc_error **err)
{
    (void)err;
    wci_str_append_n(&((tar_text *)self)->text, data, size);
    return WC_OK;
}

static int32_t read_text(void *self, void *data, size_t size, size_t *got, wc_error **err)
{
    (void)err;
    tar_text *t = self;
    size_t left = t->text.size - t->used;
    *got = size < left ? size : left;
    memcpy(data, t->text.data + t->used, *got);
    t->used += *got;
    return WC_OK;
}

/* What is packed of the levels without a mount looks the same when it is unpacked. */
static void compare_packed(stack *s)
{
    char path[96];
    tar_text tar = {WCI_STR_INIT, 0};
    const wci_sink to = {write_text, &tar};
    const wci_source from = {read_text, &tar};
    wci_fd dir = WCI_FD_NONE;
    wc_error *err = NULL;
    snprintf(path, sizeof path, "%s/packed", s->dir);
    mkdir(path, 0700);
    if (wci_view_pack(s->levels, (size_t)s->layers, "", ".", &to, NULL, &err) || wci_tree_open_root(path, &dir, &err) ||
        wci_tar_apply(&from, dir, WCI_APPLY_KEEP_OWNER, &wci_limits_default, NULL, NULL, &err))
        stack_failed(s, "packing the view", s->layers, err);
    else
        stack_compare_at(s, path);
    wci_fd_close(dir);
    wci_str_free(&tar.text);
}

/* ---- Running ------------------------------------------------------------------------------------ */

static void add_random(stack *s, uint64_t *random, int n)
{
    tarball t = TARBALL_INIT;
    model_random_layer(random, s->model, &s->layer[n]);
    model_apply(&s->model, &s->layer[n]);
    stack_tar(s, n, &t);
    stack_add(s, n, &t);
    tar_free(&t);
}

/* Images have layers twice: an empty one of their builder, or the same step of two parents. */
static int add_again(stack *s, uint64_t *random, int n)
{
    int earlier = n ? (int)(model_random(random) % (uint64_t)n) : 0;
    if (!n || model_random(random) % 3 || !model_can_apply(s->model, &s->layer[earlier]))
        return 0;
    s->layer[n] = s->layer[earlier];
    model_apply(&s->model, &s->layer[n]);
    stack_repeat(s, n, earlier);
    return 1;
}

static void run_stack(const char *base, unsigned long long seed)
{
    uint64_t random = seed;
    stack s = {.model = model_new()};
    snprintf(s.dir, sizeof s.dir, "%s/%llu", base, seed);
    mkdir(s.dir, 0700);
    s.layers = 1 + (int)(model_random(&random) % MAX_LAYERS);
    for (int i = 0; i < s.layers && !*s.problem; i++)
        if (!add_again(&s, &random, i))
            add_random(&s, &random, i);
    if (!*s.problem)
        stack_mount(&s);
    if (!*s.problem)
        stack_compare(&s);
    if (!*s.problem)
        compare_packed(&s);
    stack_end(&s, seed);
}

int main(int argc, char **argv)
{
    return stack_main("layer equality", run_stack, 2000, argc, argv);
}
