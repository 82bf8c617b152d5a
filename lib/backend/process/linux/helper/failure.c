/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/process/linux/helper/failure.h"

#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backend/process/linux/needs.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "core/str.h"
#include "platform/file.h"

#define SAID_MAX (64 * 1024)

static int has(const char *text, const char *words)
{
    return strcasestr(text, words) != NULL;
}

/* Only what is said about executing is about the command: a mount may lack permission, too. */
int32_t runtime_failure_code(const char *message)
{
    if (has(message, "executable file") && has(message, "not found"))
        return WC_E_COMMAND_NOT_FOUND;
    if (!has(message, "exec: \"") && !has(message, "exec /") && !has(message, "exec `") &&
        !has(message, "open executable") && !has(message, "exec user process") &&
        !has(message, "exec format error"))
        return WC_E_RUNTIME;
    if (has(message, "no such file or directory") || has(message, "not a directory"))
        return WC_E_COMMAND_NOT_FOUND;
    if (has(message, "permission denied") || has(message, "exec format error") ||
        has(message, "is a directory") || has(message, "operation not permitted"))
        return WC_E_COMMAND_NOT_EXECUTABLE;
    return WC_E_RUNTIME;
}

/* "msg" of the last line of level "error". */
static char *last_logged_error(void)
{
    wc_buf *log = NULL;
    char *message = NULL;
    if (wci_file_read_all(RUNTIME_LOG, SAID_MAX, &log, NULL))
        return NULL;
    const char *line = wc_buf_data(log), *end = line + wc_buf_size(log);
    while (line < end) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        size_t size = (size_t)((stop ? stop : end) - line);
        json_t *entry = NULL;
        if (!wci_json_parse(line, size, SAID_MAX, "log", &entry, NULL)) {
            const char *level = json_string_value(json_object_get(entry, "level"));
            const char *text = json_string_value(json_object_get(entry, "msg"));
            if (text && level && (strcmp(level, "error") == 0 || strcmp(level, "fatal") == 0))
                (void)wci_replace(&message, text);
        }
        json_decref(entry);
        line += size + 1;
    }
    wc_buf_unref(log);
    return message;
}

/* The last line that it printed. */
static char *last_printed(int fd)
{
    char text[4096];
    fcntl(fd, F_SETFL, O_NONBLOCK);
    ssize_t n = read(fd, text, sizeof text - 1);
    while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == ' '))
        n--;
    if (n <= 0)
        return NULL;
    text[n] = '\0';
    const char *line = strrchr(text, '\n');
    return wci_strdup(line ? line + 1 : text);
}

/* Of what was printed; owned. */
static char *last_line(const char *said)
{
    size_t size = said ? strlen(said) : 0;
    while (size && (said[size - 1] == '\n' || said[size - 1] == ' '))
        size--;
    char *text = wci_strndup(said ? said : "", size);
    const char *line = text ? strrchr(text, '\n') : NULL;
    if (line)
        memmove(text, line + 1, strlen(line));
    return text;
}

/* What this process lacks for what the runtime was refused, or NULL. */
static char *explain(const char *said)
{
    return has(said, "not permitted") || has(said, "permission denied") || has(said, "invalid argument")
               ? wci_needs_reason(said)
               : NULL;
}

static int32_t said_failure(const char *name, int exit_code, const char *said, wc_error **err)
{
    int32_t code = runtime_failure_code(said);
    char *reason = code == WC_E_RUNTIME ? explain(said) : NULL;
    if (reason)
        code = WC_E_PERMISSION;
    code = wci_err_native(err, code, WC_DOMAIN_EXIT, exit_code, "%s: %s%s%s", name, said, reason ? "; " : "",
                          reason ? reason : "");
    wci_free(reason);
    return code;
}

int32_t runtime_failure(const char *runtime, int status, int stderr_fd, wc_error **err)
{
    const char *name = wci_path_base(runtime);
    char *said = last_logged_error();
    if (!said)
        said = last_printed(stderr_fd);
    int exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    int32_t rc;
    if (said)
        rc = said_failure(name, exit_code, said, err);
    else
        rc = wci_err_native(err, WC_E_RUNTIME, WC_DOMAIN_EXIT, exit_code,
                            "OCI runtime '%s': ended with %d and said nothing; if it is none, name one such as crun or "
                            "runc",
                            runtime, exit_code);
    wci_free(said);
    return rc;
}

int32_t runtime_said_failure(const char *runtime, int status, const char *said, wc_error **err)
{
    int exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    char *line = last_line(said);
    int32_t rc = line && *line ? said_failure(wci_path_base(runtime), exit_code, line, err)
                               : wci_err_native(err, WC_E_RUNTIME, WC_DOMAIN_EXIT, exit_code,
                                                "OCI runtime '%s': ended with %d and said nothing", runtime, exit_code);
    wci_free(line);
    return rc;
}
