/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/mock/fault.h"

#include <stdio.h>
#include <string.h>

#include "backend/mock/target.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"

#define FAULT_FILE "mock.faults"
#define LARGEST_FILE 65536
#define LARGEST_DOCUMENT (4u << 20)
#define NS_PER_MS 1000000

/* ---- Where they come from ------------------------------------------------------------------- */

static int32_t split_lines(const char *text, wci_strv *lines, wc_error **err)
{
    while (*text) {
        size_t n = strcspn(text, "\r\n");
        if (n && *text != '#' && wci_strv_add_take(lines, wci_strndup(text, n)))
            return wci_err_nomem(err);
        text += n;
        text += strspn(text, "\r\n");
    }
    return WC_OK;
}

static int32_t read_file(const char *root, wci_strv *lines, wc_error **err)
{
    char *path = wci_path_join(root, FAULT_FILE);
    if (!path)
        return wci_err_nomem(err);
    wc_buf *text = NULL;
    int32_t rc = WC_OK;
    if (wci_file_exists(path))
        rc = wci_file_read_all(path, LARGEST_FILE, &text, err);
    if (text)
        rc = split_lines(wc_buf_data(text), lines, err);
    wc_buf_unref(text);
    wci_free(path);
    return rc;
}

static int32_t read_labels(const wc_request *request, json_t **labels, wc_error **err)
{
    const char *text = wc_request_config(request);
    json_t *config = NULL, *found = NULL;
    if (!*text)
        return WC_OK;
    int32_t rc =
        wci_json_parse(text, strlen(text), LARGEST_DOCUMENT, "configuration", &config, err);
    if (rc)
        return rc;
    rc = wci_json_get_object(config, "labels", "configuration", &found, err);
    if (rc == WC_OK && found)
        *labels = json_incref(found);
    json_decref(config);
    return rc;
}

int32_t wci_mock_faults_load(const char *root, const wc_request *request, mock_faults *out,
                             wc_error **err)
{
    mock_faults faults = {0};
    int32_t rc = read_labels(request, &faults.labels, err);
    if (rc == WC_OK && root)
        rc = read_file(root, &faults.lines, err);
    if (rc)
        wci_mock_faults_free(&faults);
    else
        *out = faults;
    return rc;
}

void wci_mock_faults_free(mock_faults *faults)
{
    json_decref(faults->labels);
    wci_strv_free(&faults->lines);
    memset(faults, 0, sizeof *faults);
}

static const char *get_key(const mock_faults *faults, const char *key)
{
    size_t n = strlen(key);
    for (size_t i = 0; i < faults->lines.count; i++) {
        const char *line = faults->lines.items[i];
        if (strncmp(line, key, n) == 0 && line[n] == '=')
            return line + n + 1;
    }
    return json_string_value(json_object_get(faults->labels, key));
}

const char *wci_mock_faults_get(const mock_faults *faults, const char *what, const char *op)
{
    char key[64];
    snprintf(key, sizeof key, "mock.%s%s%s", what, *op ? "." : "", op);
    const char *value = get_key(faults, key);
    return value && *value ? value : NULL;
}

/* ---- What they do --------------------------------------------------------------------------- */

/* A number alone means milliseconds. */
int32_t wci_mock_parse_duration(const char *text, int64_t *ns, wc_error **err)
{
    uint64_t ms = 0;
    if (!wci_parse_u64(text, 1000000000, &ms))
        return wci_duration_parse(text, ns, err);
    *ns = (int64_t)ms * NS_PER_MS;
    return WC_OK;
}

static int32_t delay(const mock_faults *faults, const char *op, wc_call *call, wc_error **err)
{
    const char *text = wci_mock_faults_get(faults, "delay", op);
    int64_t ns = 0;
    if (!text)
        return WC_OK;
    int32_t rc = wci_mock_parse_duration(text, &ns, err);
    return rc ? rc : wci_call_sleep_ms(call, ns / NS_PER_MS, err);
}

/* "WC_E_IO" or "WC_E_IO: message". */
static int32_t parse_code(const char *text, int32_t *code, const char **message, wc_error **err)
{
    size_t n = strcspn(text, ":");
    for (int32_t c = -1; c >= WC_E_UNTRUSTED; c--) {
        const char *name = wc_code_name(c);
        if (strlen(name) == n && strncmp(name, text, n) == 0) {
            const char *rest = text + n + (text[n] == ':');
            rest += strspn(rest, " ");
            *code = c;
            *message = *rest ? rest : "asked for by mock.fault";
            return WC_OK;
        }
    }
    return wci_err(err, WC_E_INVALID, "fault '%s': begins with no WC_E_ code", text);
}

/* The length of the file is the count. */
static int32_t count_up(const char *path, uint64_t limit, int *within, wc_error **err)
{
    wci_fd fd = WCI_FD_NONE;
    wci_file_info info;
    int32_t rc =
        wci_file_open(path, WCI_OPEN_WRITE | WCI_OPEN_CREATE | WCI_OPEN_APPEND, 0600, &fd, err);
    if (rc == WC_OK)
        rc = wci_fd_info(fd, &info, err);
    if (rc == WC_OK) {
        *within = info.size < limit;
        if (*within)
            rc = wci_fd_write(fd, "x", 1, err);
    }
    wci_fd_close(fd);
    return rc;
}

static int32_t count_locked(const char *dir, const char *op, uint64_t limit, wc_call *call,
                            int *within, wc_error **err)
{
    wci_lock *lock = NULL;
    char *path = wci_asprintf("%s/times.%s", dir, op);
    int32_t rc = path ? wci_dir_make(dir, 0700, err) : wci_err_nomem(err);
    if (rc == WC_OK)
        rc = wci_mock_lock(call, dir, WCI_LOCK_EXCLUSIVE, &lock, err);
    if (rc == WC_OK)
        rc = count_up(path, limit, within, err);
    wci_lock_release(lock);
    wci_free(path);
    return rc;
}

/* "mock.times.OP=N" ends the faults of an operation after N calls for the container. */
static int32_t is_within_times(const mock_faults *faults, const char *op, const wc_request *request,
                               wc_call *call, int *within, wc_error **err)
{
    const char *text = wci_mock_faults_get(faults, "times", op);
    uint64_t limit = 0;
    if (!text || !*wc_request_state_dir(request)) {
        *within = 1;
        return WC_OK;
    }
    if (!wci_parse_u64(text, LARGEST_FILE - 1, &limit))
        return wci_err(err, WC_E_INVALID, "mock.times.%s '%s': not a number", op, text);
    char *dir = wci_mock_dir(wc_request_state_dir(request));
    if (!dir)
        return wci_err_nomem(err);
    int32_t rc = count_locked(dir, op, limit, call, within, err);
    wci_free(dir);
    return rc;
}

static int32_t fail(const mock_faults *faults, const char *op, wc_error **err)
{
    const char *text = wci_mock_faults_get(faults, "fault", op);
    const char *message = NULL;
    int32_t code = WC_OK;
    if (!text)
        return WC_OK;
    int32_t rc = parse_code(text, &code, &message, err);
    return rc ? rc : wci_err(err, code, "mock %s: %s", op, message);
}

/* The monitor dies of the operation. A start has no monitor yet; it crashes by its description. */
static int32_t crash(const mock_faults *faults, const char *op, const wc_request *request,
                     wc_call *call, wc_error **err)
{
    if (!wci_mock_faults_get(faults, "crash", op) || wci_streq(op, "start"))
        return WC_OK;
    mock_target target = {0};
    int32_t rc = wci_mock_target_open(request, NULL, &target, err);
    if (rc)
        return rc;
    rc = wci_mock_target_input(&target, call, &(mock_input){.kind = MOCK_INPUT_CRASH}, err);
    wci_mock_target_close(&target);
    return rc ? rc : wci_err(err, WC_E_RUNTIME, "mock %s: the monitor of the container died", op);
}

int32_t wci_mock_trouble(const mock_faults *faults, const char *op, const wc_request *request,
                         wc_call *call, wc_error **err)
{
    int within = 0;
    if (!wci_mock_faults_get(faults, "fault", op) && !wci_mock_faults_get(faults, "crash", op) &&
        !wci_mock_faults_get(faults, "delay", op))
        return WC_OK;
    int32_t rc = is_within_times(faults, op, request, call, &within, err);
    if (rc || !within)
        return rc;
    rc = delay(faults, op, call, err);
    if (rc == WC_OK)
        rc = crash(faults, op, request, call, err);
    if (rc == WC_OK)
        rc = fail(faults, op, err);
    return rc;
}
