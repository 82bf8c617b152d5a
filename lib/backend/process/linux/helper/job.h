/* SPDX-License-Identifier: Apache-2.0 */
/* Programs that a monitor runs while it serves its clients: one after the other, so that two never work on the same
 * container. Each ends with the monitor, and when its time is over. */
#ifndef WC_HELPER_JOB_H
#define WC_HELPER_JOB_H

#include "backend/process/linux/helper/loop.h"
#include "core/str.h"

#define JOB_OUTPUT_MAX (1024 * 1024) /* of each stream; what is more is thrown away */

typedef struct job {
    /* Filled by the owner, lent until it is done. argv[0] is a path. */
    const char *const *argv;
    const char *input; /* what it reads from standard input; NULL: nothing */
    int timeout_ms;
    /* Once, from a turn of the loop; the job may be freed or run again then. */
    void (*done)(struct job *job, void *owner);
    void *owner;
    /* How it went; the texts go with job_free(). */
    int failed;    /* errno: it could not be started */
    int timed_out; /* it was killed */
    int status;    /* as waitpid() gives it */
    wci_str out, err;
    /* The rest belongs to job.c. */
    struct jobs *jobs;
    size_t written;
    loop_watch watches[3]; /* input, output, error output */
    loop_timer timer;
    loop_child child;
    struct job *next;
} job;

typedef struct jobs {
    loop *loop;
    job *first; /* the one that runs */
} jobs;

void job_run(jobs *queue, job *j);
void job_free(job *j); /* the results */

#endif
