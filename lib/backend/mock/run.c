/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/mock/run.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"

#define LARGEST_DOCUMENT (4u << 20)

static int32_t get_text(json_t *document, const char *key, const char *what, char **out,
                        wc_error **err)
{
    const char *text = "";
    int32_t rc = wci_json_get_string(document, key, what, &text, err);
    if (rc)
        return rc;
    *out = wci_strdup(text ? text : "");
    return *out ? WC_OK : wci_err_nomem(err);
}

static int32_t read_run(json_t *document, const char *what, mock_run *run, wc_error **err)
{
    int32_t rc = wci_json_get_strings(document, "args", what, &run->args, err);
    if (rc == WC_OK)
        rc = wci_json_get_strings(document, "env", what, &run->env, err);
    if (rc == WC_OK)
        rc = get_text(document, "workdir", what, &run->workdir, err);
    if (rc == WC_OK)
        rc = get_text(document, "user", what, &run->user, err);
    if (rc == WC_OK)
        rc = get_text(document, "hostname", what, &run->hostname, err);
    if (rc == WC_OK)
        rc = wci_json_get_bool(document, "tty", what, &run->tty, err);
    if (rc == WC_OK)
        rc = wci_json_get_bool(document, "openStdin", what, &run->open_stdin, err);
    if (rc == WC_OK)
        rc = wci_json_get_int(document, "started", what, 0, INT64_MAX, &run->started_ns, err);
    if (rc == WC_OK)
        rc = wci_json_get_int(document, "crash", what, 0, INT64_MAX, &run->crash_ns, err);
    return rc;
}

int32_t wci_mock_run_from_config(json_t *config, const char *what, mock_run *run, wc_error **err)
{
    mock_run read = {.crash_ns = MOCK_NEVER};
    int32_t rc = read_run(config, what, &read, err);
    if (rc)
        wci_mock_run_free(&read);
    else
        *run = read;
    return rc;
}

static int32_t read_user(json_t *process, char **out, wc_error **err)
{
    json_t *user = NULL;
    int64_t uid = 0, gid = 0;
    int32_t rc = wci_json_get_object(process, "user", "process", &user, err);
    if (rc == WC_OK && user)
        rc = wci_json_get_int(user, "uid", "process user", 0, UINT32_MAX, &uid, err);
    if (rc == WC_OK && user)
        rc = wci_json_get_int(user, "gid", "process user", 0, UINT32_MAX, &gid, err);
    if (rc)
        return rc;
    *out = wci_asprintf("%lld:%lld", (long long)uid, (long long)gid);
    return *out ? WC_OK : wci_err_nomem(err);
}

static int32_t read_process(json_t *process, mock_run *run, wc_error **err)
{
    int32_t rc = wci_json_get_strings(process, "args", "process", &run->args, err);
    if (rc == WC_OK)
        rc = wci_json_get_strings(process, "env", "process", &run->env, err);
    if (rc == WC_OK)
        rc = get_text(process, "cwd", "process", &run->workdir, err);
    if (rc == WC_OK)
        rc = read_user(process, &run->user, err);
    if (rc == WC_OK)
        rc = wci_json_get_bool(process, "terminal", "process", &run->tty, err);
    return rc;
}

int32_t wci_mock_run_from_process(json_t *process, const char *hostname, mock_run *run,
                                  wc_error **err)
{
    mock_run read = {.crash_ns = MOCK_NEVER, .hostname = wci_strdup(hostname)};
    int32_t rc = read.hostname ? read_process(process, &read, err) : wci_err_nomem(err);
    if (rc)
        wci_mock_run_free(&read);
    else
        *run = read;
    return rc;
}

static json_t *run_to_json(const mock_run *run)
{
    json_t *args = wci_json_from_strv(&run->args);
    json_t *env = wci_json_from_strv(&run->env);
    if (!args || !env) {
        json_decref(args);
        json_decref(env);
        return NULL;
    }
    return json_pack("{s:o, s:o, s:s, s:s, s:s, s:b, s:b, s:I, s:I}", "args", args, "env", env,
                     "workdir", run->workdir, "user", run->user, "hostname", run->hostname, "tty",
                     run->tty, "openStdin", run->open_stdin, "started", (json_int_t)run->started_ns,
                     "crash", (json_int_t)run->crash_ns);
}

int32_t wci_mock_run_save(const mock_run *run, const char *path, wc_error **err)
{
    json_t *document = run_to_json(run);
    char *text = document ? wci_json_dump_text(document) : NULL;
    json_decref(document);
    if (!text)
        return wci_err_nomem(err);
    int32_t rc = wci_file_write_atomic(path, text, strlen(text), 0600, 0, err);
    wci_free(text);
    return rc;
}

int32_t wci_mock_run_load(const char *path, mock_run *run, wc_error **err)
{
    json_t *document = NULL;
    int32_t rc = wci_json_read(path, LARGEST_DOCUMENT, path, &document, err);
    if (rc)
        return rc;
    rc = wci_mock_run_from_config(document, path, run, err);
    json_decref(document);
    return rc;
}

void wci_mock_run_free(mock_run *run)
{
    wci_strv_free(&run->args);
    wci_strv_free(&run->env);
    wci_free(run->workdir);
    wci_free(run->user);
    wci_free(run->hostname);
    memset(run, 0, sizeof *run);
}

/* ---- Inputs: a header and its bytes, in the byte order of the host that alone reads them ---- */

typedef struct record_header {
    int64_t time_ns;
    int32_t kind;
    int32_t signal;
    uint32_t size;
    uint32_t check; /* against garbage of another origin */
} record_header;

#define RECORD_CHECK 0x6d6f636bu

static int32_t add_input(mock_inputs *inputs, const record_header *header, const char *data,
                         wc_error **err)
{
    if (!wci_grow(&inputs->items, &inputs->cap, inputs->count + 1, sizeof *inputs->items))
        return wci_err_nomem(err);
    char *copy = header->size ? wci_memdup(data, header->size) : NULL;
    if (header->size && !copy)
        return wci_err_nomem(err);
    inputs->items[inputs->count++] = (mock_input){.time_ns = header->time_ns,
                                                  .kind = header->kind,
                                                  .signal = header->signal,
                                                  .size = header->size,
                                                  .data = copy};
    inputs->offset += sizeof *header + header->size;
    inputs->stdin_ended |= header->kind == MOCK_INPUT_STDIN_END;
    return WC_OK;
}

/* A record that is cut short was being written when its writer died; it does not count. */
static int32_t add_whole_records(mock_inputs *inputs, const char *bytes, size_t size,
                                 const char *path, wc_error **err)
{
    record_header header;
    while (size >= sizeof header) {
        memcpy(&header, bytes, sizeof header);
        if (header.check != RECORD_CHECK)
            return wci_err(err, WC_E_CORRUPT, "mock inputs '%s': not written by this library",
                           path);
        if (size - sizeof header < header.size)
            break;
        int32_t rc = add_input(inputs, &header, bytes + sizeof header, err);
        if (rc)
            return rc;
        bytes += sizeof header + header.size;
        size -= sizeof header + header.size;
    }
    return WC_OK;
}

static int32_t read_tail(mock_inputs *inputs, wci_fd fd, size_t size, const char *path,
                         wc_error **err)
{
    char *bytes = wci_malloc(size);
    if (!bytes)
        return wci_err_nomem(err);
    size_t got = 0;
    int32_t rc = wci_fd_pread(fd, bytes, size, inputs->offset, &got, err);
    if (rc == WC_OK)
        rc = add_whole_records(inputs, bytes, got, path, err);
    wci_free(bytes);
    return rc;
}

int32_t wci_mock_inputs_read(mock_inputs *inputs, const char *path, wc_error **err)
{
    wci_fd fd = WCI_FD_NONE;
    int32_t rc = wci_file_open(path, WCI_OPEN_READ, 0, &fd, NULL);
    if (rc == WC_E_NOT_FOUND)
        return WC_OK;
    if (rc)
        return wci_file_open(path, WCI_OPEN_READ, 0, &fd, err);
    wci_file_info info;
    rc = wci_fd_info(fd, &info, err);
    if (rc == WC_OK && info.size > inputs->offset)
        rc = read_tail(inputs, fd, (size_t)(info.size - inputs->offset), path, err);
    wci_fd_close(fd);
    return rc;
}

int32_t wci_mock_inputs_append(const mock_inputs *inputs, const char *path, const mock_input *input,
                               wc_error **err)
{
    record_header header = {.time_ns = input->time_ns,
                            .kind = input->kind,
                            .signal = input->signal,
                            .size = input->size,
                            .check = RECORD_CHECK};
    wci_str bytes = WCI_STR_INIT;
    wci_str_append_n(&bytes, &header, sizeof header);
    wci_str_append_n(&bytes, input->data, input->size);
    wci_fd fd = WCI_FD_NONE;
    int32_t rc = bytes.failed
                     ? wci_err_nomem(err)
                     : wci_file_open(path, WCI_OPEN_WRITE | WCI_OPEN_CREATE | WCI_OPEN_APPEND, 0600,
                                     &fd, err);
    if (rc == WC_OK)
        rc = wci_fd_truncate(fd, inputs->offset, err);
    if (rc == WC_OK)
        rc = wci_fd_write(fd, bytes.data, bytes.size, err);
    wci_fd_close(fd);
    wci_str_free(&bytes);
    return rc;
}

void wci_mock_inputs_free(mock_inputs *inputs)
{
    for (size_t i = 0; i < inputs->count; i++)
        wci_free(inputs->items[i].data);
    wci_free(inputs->items);
    memset(inputs, 0, sizeof *inputs);
}

/* ---- Files ---------------------------------------------------------------------------------- */

char *wci_mock_dir(const char *state_dir)
{
    return wci_path_join(state_dir, "mock");
}

int32_t wci_mock_lock(wc_call *call, const char *dir, int mode, wci_lock **out, wc_error **err)
{
    char *path = wci_path_join(dir, "lock");
    if (!path)
        return wci_err_nomem(err);
    int32_t rc = wci_lock_acquire(call, path, mode, out, err);
    wci_free(path);
    return rc;
}

int32_t wci_mock_last_run(const char *dir, int64_t *number, wc_error **err)
{
    wci_strv names = WCI_STRV_INIT;
    int32_t rc = wci_dir_list(dir, &names, err);
    uint64_t last = 0;
    for (size_t i = 0; i < names.count; i++) {
        uint64_t n = 0;
        char *dot = strchr(names.items[i], '.');
        if (!dot || strcmp(dot, ".run") != 0)
            continue;
        *dot = '\0';
        if (wci_parse_u64(names.items[i], INT64_MAX, &n) && n > last)
            last = n;
    }
    wci_strv_free(&names);
    if (rc == WC_OK)
        *number = (int64_t)last;
    return rc;
}

char *wci_mock_path(const char *dir, int64_t number, const char *process, const char *suffix)
{
    return process ? wci_asprintf("%s/%lld.%s.%s", dir, (long long)number, process, suffix)
                   : wci_asprintf("%s/%lld.%s", dir, (long long)number, suffix);
}
