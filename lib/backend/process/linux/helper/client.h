/* SPDX-License-Identifier: Apache-2.0 */
/* One connection to a monitor. What it does not take waits here, bounded; one that takes nothing
 * for STALL_MS while more is to come is dropped, unless it asked to be waited for. */
#ifndef WC_HELPER_CLIENT_H
#define WC_HELPER_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#include "core/str.h"

#define CLIENT_STALL_MS 2000
/* What a process may leave in its pipes when it ends. */
#define CLIENT_REST_MAX (4 << 20)

typedef struct client {
    int fd;
    uint64_t id;     /* of its session, never used twice */
    uint32_t attach; /* WC_ATTACH_* */
    int gone;        /* to be freed */
    int deaf;        /* we read no more from it */
    int finished;    /* its run has ended and it is told so: it goes once it has taken that */
    wci_str in;      /* received, not yet understood */
    wci_str out;     /* to be sent, from out_used on */
    size_t out_used;
    int64_t progress_ms; /* when it last took something */
} client;

client *client_new(int fd); /* takes the descriptor over, also on failure (NULL) */
void client_free(client *c);

int64_t monotonic_ms(void);
int client_is_behind(const client *c); /* something waits */
/* The process waits for it, however long it takes: WC_ATTACH_WAIT. */
int client_is_patient(const client *c);
/* Milliseconds until it is to be dropped; -1 when it is not behind, or patient. */
int client_patience_ms(const client *c);
/* It holds as much as it may of what came after the end of the process. */
int client_is_full(const client *c);
/* Sends, or keeps for later. */
void client_send(client *c, int type, int channel, const void *data, size_t size);
void client_flush(client *c);
/* It gets what waits, an error frame, and nothing more. */
void client_drop(client *c);
/* Reads what is there; `gone` at the end of the stream. */
void client_receive(client *c);
/* Reads no more from it. Its next write finds a broken pipe, and one that waits for room does so at once:
 * what fills the socket is thrown away. */
void client_deafen(client *c);
/* The next whole frame in `in`, or 0. Lent until client_consume(). */
int client_frame(client *c, int *type, const char **data, size_t *size);
void client_consume(client *c);

#endif
