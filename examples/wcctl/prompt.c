/* SPDX-License-Identifier: Apache-2.0 */
/* Asking whoever sits at the terminal. */
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "wcctl.h"

char *ask_user(const char *question, int hidden)
{
    struct termios saved, quiet;
    char *line = NULL;
    size_t size = 0;
    if (!isatty(STDIN_FILENO))
        die_usage("there is no terminal to ask on: %s; see --help for what to give instead", question);
    fputs(question, stderr);
    hidden = hidden && !tcgetattr(STDIN_FILENO, &saved);
    if (hidden) {
        quiet = saved;
        quiet.c_lflag &= (tcflag_t)~ECHO;
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
    }
    ssize_t n = getline(&line, &size, stdin);
    if (hidden) {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &saved);
        fputc('\n', stderr);
    }
    if (n <= 0)
        die_usage("nothing was given");
    line[strcspn(line, "\r\n")] = '\0';
    return line;
}

void wipe(char *secret)
{
    for (volatile char *p = secret; p && *p; p++)
        *p = '\0';
    free(secret);
}
