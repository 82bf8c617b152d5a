/* SPDX-License-Identifier: Apache-2.0 */
/* --env-file: NAME=VALUE or NAME on each line, as Docker reads it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "wcctl.h"

static _Noreturn void die_reading(const char *path)
{
    fprintf(stderr, "wcctl: --env-file '%s': %s\n", path, strerror(errno));
    exit(EXIT_OURS);
}

void env_file_read(const char *path, text_list *out)
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t size = 0;
    ssize_t n;
    if (!file)
        die_reading(path);
    while ((n = getline(&line, &size, file)) > 0) {
        if (line[n - 1] == '\n')
            line[n - 1] = '\0';
        const char *start = line + strspn(line, " \t");
        if (!*start || *start == '#')
            continue;
        if (strpbrk(start, " \t") && strpbrk(start, " \t") < start + strcspn(start, "="))
            die_usage("--env-file '%s': the name of a variable contains white space: '%s'", path, start);
        list_add(out, xstrdup(start));
    }
    if (ferror(file)) /* a directory, too */
        die_reading(path);
    free(line);
    fclose(file);
}
