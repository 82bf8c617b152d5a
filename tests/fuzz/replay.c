/* SPDX-License-Identifier: Apache-2.0 */
/* Feeds every file of the directories named to a fuzz target, and also cut and changed forms of
 * each, so that a plain build without libFuzzer tries more than the seeds. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/support.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A copy of exactly that size, so that sanitizers see every byte too many. */
static void feed(const char *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy)
        abort();
    memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static void feed_variants(char *data, size_t size)
{
    size_t step = 1 + size / 61;
    feed(data, size);
    for (size_t at = 0; at < size; at += step) {
        feed(data, at);
        data[at] ^= 0x55;
        feed(data, size);
        data[at] ^= 0x55;
    }
}

static int replay(const char *dir)
{
    DIR *d = opendir(dir);
    int files = 0;
    if (!d) {
        perror(dir);
        return 0;
    }
    for (struct dirent *e; (e = readdir(d));) {
        size_t size;
        char *path = test_text("%s/%s", dir, e->d_name);
        char *data = e->d_name[0] == '.' ? NULL : test_read_file(path, &size);
        if (data) {
            feed_variants(data, size);
            files++;
        }
        free(data);
        free(path);
    }
    closedir(d);
    return files;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        int files = replay(argv[i]);
        printf("%s: %d files\n", argv[i], files);
        if (!files)
            return 1;
    }
    return 0;
}
