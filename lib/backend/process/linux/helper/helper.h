/* SPDX-License-Identifier: Apache-2.0 */
/* wc-helper: one thread, one task, then the end. See docs/helper.md. */
#ifndef WC_HELPER_H
#define WC_HELPER_H

#include <jansson.h>
#include <stdint.h>

#include <wincontainer/error.h>

#include "core/str.h"

#define HELPER_LINK 3 /* the connection that we were started with */
#define HELPER_DATA 4 /* the tar of cp */

typedef struct request {
    char *id, *process_id, *run_dir, *state_dir, *store_root, *run_root;
    char *runtime, *what, *path, *program;
    char *cgroup; /* below the root of each hierarchy */
    char *config; /* verbatim */
    char *network; /* JSON for network.c, or NULL: the runtime sees to it */
    char *log_fields; /* of its lines in the journal, JSON; NULL: they do not go there */
    json_t *settings; /* the container's configuration, or NULL: what an area needs of it, it reads here */
    wci_strv layers; /* lowest first */
    struct volume *volumes; /* volumes.h */
    size_t volume_count;
    uint32_t uid, gid; /* of the container's user, for volumes that become his */
    wci_strv uid_maps, gid_maps; /* userns.h */
    wci_strv join_types, join_containers; /* joins.h; in pairs */
    int64_t generation, log_max_bytes, log_max_files;
    int64_t pid, pid_start;
    uint32_t attach;
    int tty, open_stdin, auto_remove;
    int read_only_root; /* for cp */
    int needs_apparmor; /* the default profile is to be loaded */
    int systemd_cgroup; /* the runtime has systemd make the control group */
} request;

/* Reads the whole request; WC_E_CLOSED when the library went away in the middle of it. */
int32_t request_read(int with_config, request *out, wc_error **err);
void request_free_config(request *req); /* early: config and settings are large */
void request_free(request *req);        /* the contents */

/* Tell the library how it went. */
void report_ok(int64_t pid, uint32_t flags, const char *text);
void report_error(const wc_error *err);
/* The same as JSON; NULL: it went well. */
json_t *outcome_json(const wc_error *err);
/* The connection is closed, or another's: nobody asks us to give up any more. */
void link_close(void);
void link_given_away(void);
/* It becomes `fd`; of all other descriptors only the standard streams stay open. */
void link_take(int fd);
/* To poll with; -1 when it is not ours any more. */
int link_fd(void);
/* 1 when the library asks us to give up. */
int link_cancelled(void);

int monitor_main(request *req);
int exec_main(request *req);
int archive_main(request *req);
int probe_main(request *req);
int network_main(request *req);
int processes_main(request *req);
int files_main(const char *run_root);

#endif
