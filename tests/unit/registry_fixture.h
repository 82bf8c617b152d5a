/* SPDX-License-Identifier: Apache-2.0 */
/* The mock registry of tests/support for one test program, and a fetch into memory. */
#ifndef WC_TEST_REGISTRY_FIXTURE_H
#define WC_TEST_REGISTRY_FIXTURE_H

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/alloc.h"
#include "platform/host.h"
#include "registry/registry.h"
#include "support/server_process.h"

static server_process mock;
static const char *mock_password = "secret"; /* of its user "user" */
static int mock_port, mock_other_port;

static inline void mock_stop(void)
{
    server_stop(&mock);
}

static inline void mock_start(void)
{
    const char *const argv[] = {"python3", WC_TEST_SOURCE_DIR "/tests/support/mock_registry.py",
                                "--password", mock_password, NULL};
    if (server_start(&mock, argv) != 1 ||
        sscanf(mock.line, "%d %d", &mock_port, &mock_other_port) != 2) {
        printf("SKIP: python3 is not installed\n");
        exit(77);
    }
    atexit(mock_stop);
}

/* A plain HTTP/1.0 request to the mock itself; the answer's body, which the caller frees. */
static inline char *mock_ask(const char *method, const char *path)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)mock_port)};
    size_t size = 0, cap = 1 << 20;
    char *text = calloc(1, cap), line[256];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    int n = snprintf(line, sizeof line, "%s %s HTTP/1.0\r\nConnection: close\r\n\r\n", method, path);
    ck_assert_int_eq(write(fd, line, (size_t)n), n);
    for (ssize_t got; size < cap - 1 && (got = read(fd, text + size, cap - 1 - size)) > 0;)
        size += (size_t)got;
    close(fd);
    char *body = strstr(text, "\r\n\r\n");
    ck_assert_ptr_nonnull(body);
    memmove(text, body + 4, strlen(body + 4) + 1);
    return text;
}

static inline void mock_reset(void)
{
    free(mock_ask("DELETE", "/requests"));
}

/* How many of the requests since the last reset contain `text`. */
static inline int mock_count(const char *text)
{
    char *all = mock_ask("GET", "/requests"), *save = NULL;
    int count = 0;
    for (char *line = strtok_r(all, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
        count += strstr(line, text) != NULL;
    free(all);
    return count;
}

static inline wci_digest mock_digest(int size)
{
    char path[64];
    wci_digest digest;
    snprintf(path, sizeof path, "/digests/%d", size);
    char *text = mock_ask("GET", path);
    ck_assert_int_eq(wci_digest_parse(text, &digest, NULL), WC_OK);
    free(text);
    return digest;
}

static inline wci_registry_config mock_config(void)
{
    wci_registry_config config = WCI_REGISTRY_CONFIG_INIT;
    config.auth_file = WC_TEST_SOURCE_DIR "/tests/support/no-credentials.json";
    return config;
}

static inline wci_remote *mock_open_with(const wci_registry_config *config, const char *repository)
{
    WCI_CALL_NONE(call);
    char host[32];
    wci_remote *remote = NULL;
    snprintf(host, sizeof host, "127.0.0.1:%d", mock_port);
    ck_assert_int_eq(wci_remote_open(&call, config, host, repository, &remote, NULL), WC_OK);
    return remote;
}

static inline wci_remote *mock_open(const char *repository)
{
    wci_registry_config config = mock_config();
    return mock_open_with(&config, repository);
}

/* The whole chain of an error as text, which the caller frees; takes the error. */
static inline char *error_text(wc_error *err)
{
    wc_buf *buf = NULL;
    ck_assert_ptr_nonnull(err);
    ck_assert_int_eq(wc_error_format(err, &buf), WC_OK);
    char *text = strdup(wc_buf_data(buf));
    wc_buf_unref(buf);
    wc_error_unref(err);
    return text;
}

static inline void assert_error_says(wc_error *err, const char *part)
{
    char *text = error_text(err);
    ck_assert_msg(strstr(text, part) != NULL, "'%s' is not in: %s", part, text);
    free(text);
}

/* ---- Fetching into memory --------------------------------------------------------------------- */

typedef struct memory_fetch {
    wci_fetch fetch;
    wci_str data;
    int restarts, dones, gave_up;
    size_t largest_write;
} memory_fetch;

static inline memory_fetch *memory_of(wci_fetch *fetch)
{
    return (memory_fetch *)fetch->payload;
}

static uint64_t memory_offset(wci_fetch *fetch)
{
    return memory_of(fetch)->data.size;
}

static inline int32_t memory_restart(wci_fetch *fetch, wc_error **err)
{
    (void)err;
    memory_of(fetch)->restarts++;
    wci_str_clear(&memory_of(fetch)->data);
    return WC_OK;
}

static inline int32_t memory_write(wci_fetch *fetch, const void *data, size_t size, wc_error **err)
{
    memory_fetch *m = memory_of(fetch);
    (void)err;
    if (size > m->largest_write)
        m->largest_write = size;
    wci_str_append_n(&m->data, data, size);
    return WC_OK;
}

static inline int32_t memory_done(wci_fetch *fetch, const wc_error *why, wc_error **err)
{
    memory_fetch *m = memory_of(fetch);
    wci_digest real;
    m->dones++;
    m->gave_up += why != NULL;
    if (why)
        return WC_OK;
    wci_digest_of(wci_digest_algo(&fetch->digest), m->data.data, m->data.size, &real, NULL);
    if (wci_digest_equal(&real, &fetch->digest))
        return WC_OK;
    if (err)
        *err = NULL;
    return WC_E_DIGEST;
}

static inline void memory_init(memory_fetch *m, const wci_digest *digest, int64_t size)
{
    memset(m, 0, sizeof *m);
    m->fetch = (wci_fetch){.digest = *digest,
                           .size = size,
                           .offset = memory_offset,
                           .restart = memory_restart,
                           .write = memory_write,
                           .done = memory_done,
                           .payload = (uintptr_t)m};
}

static inline int32_t memory_run(wci_remote *remote, memory_fetch *m, size_t count, wc_error **err)
{
    WCI_CALL_NONE(call);
    wci_fetch *list[64];
    for (size_t i = 0; i < count; i++)
        list[i] = &m[i].fetch;
    return wci_remote_fetch(&call, remote, list, count, NULL, 0, err);
}

static inline void memory_free(memory_fetch *m)
{
    wci_str_free(&m->data);
}

#endif
