/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/process/linux/helper/helper.h"
#include "backend/process/linux/helper/hub.h"
#include "backend/process/linux/helper/user.h"
#include "backend/process/protocol.h"
#include "core/error.h"

typedef struct role {
    const char *name;
    int with_config;
    int as_root; /* an ordinary user's is root of his namespace, see user.h */
    int stays;   /* for long: others join the namespace through it */
    int (*run)(request *req);
} role;

static const role roles[] = {
    {"monitor", 1, 1, 1, monitor_main},
    {"exec", 1, 1, 0, exec_main},
    {"archive", 0, 1, 0, archive_main},
    {"probe", 0, 0, 0, probe_main},
    {"network", 0, 1, 0, network_main},
    {"hub", 0, 1, 0, hub_main},
    {"processes", 0, 1, 0, processes_main},
};

static const role *find_role(const char *name)
{
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
        if (strcmp(roles[i].name, name) == 0)
            return &roles[i];
    return NULL;
}

/* We are nobody's child already; this leaves the terminal and its signals behind, too. */
static int become_independent(void)
{
    setsid();
    umask(022);
    return signal(SIGPIPE, SIG_IGN) == SIG_ERR;
}

static int serve(const role *r)
{
    request req;
    wc_error *err = NULL;
    int32_t rc = request_read(r->with_config, &req, &err);
    if (!rc && r->as_root)
        rc = user_enter(req.run_root, r->stays, &err);
    if (rc && rc != WC_E_CLOSED) /* else nobody is there to be told */
        report_error(err);
    wc_error_unref(err);
    int status = rc ? 1 : r->run(&req);
    if (r->stays)
        user_leave(req.run_root);
    request_free(&req);
    return status;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        printf("wc-helper %s, protocol %d\n", WC_VERSION_TEXT, WCI_PROTOCOL_VERSION);
        return 0;
    }
    const role *r = argc == 2 ? find_role(argv[1]) : NULL;
    int for_files = argc == 3 && strcmp(argv[1], "files") == 0; /* has a protocol of its own */
    if ((!r && !for_files) || dup2(HELPER_LINK, HELPER_LINK) < 0) {
        fprintf(stderr, "wc-helper: started by libwincontainer, not by hand; see docs/helper.md\n");
        return 2;
    }
    if (become_independent())
        return 1;
    return for_files ? files_main(argv[2]) : serve(r);
}
