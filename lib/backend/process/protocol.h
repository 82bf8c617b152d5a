/* SPDX-License-Identifier: Apache-2.0 */
/* What the library and wc-helper say to each other: frames on a local socket, and the files of a
 * run directory. docs/helper.md is the specification; a change that an older peer cannot ignore
 * raises the version. */
#ifndef WCI_PROCESS_PROTOCOL_H
#define WCI_PROCESS_PROTOCOL_H

#include <stdint.h>

#define WCI_PROTOCOL_VERSION 1

/* Header: payload size (32 bits), type, channel, two zero bytes. Numbers are little-endian. */
#define WCI_FRAME_HEADER 8
/* Payload of frames that carry stream bytes. */
#define WCI_FRAME_STREAM_MAX (32 * 1024)
/* Payload of any frame; only REQUEST and CONFIG come near. */
#define WCI_FRAME_MAX (16 * 1024 * 1024)

enum {
    /* From the library */
    WCI_FRAME_REQUEST = 1,   /* JSON; only on the socket that the helper was started with */
    WCI_FRAME_CONFIG = 2,    /* config.json or process.json, verbatim; follows REQUEST */
    WCI_FRAME_CANCEL = 3,    /* give the start up; REPORT still comes */
    WCI_FRAME_ATTACH = 4,    /* u32 WC_ATTACH_*; ATTACHED comes back */
    WCI_FRAME_STDIN = 5,     /* bytes */
    WCI_FRAME_STDIN_END = 6,
    WCI_FRAME_RESIZE = 7,    /* u32 columns, u32 rows */
    WCI_FRAME_KILL = 8,      /* u32 signal; RESULT comes back */
    WCI_FRAME_WAIT = 9,      /* EXIT comes at the end */
    WCI_FRAME_COMMAND = 10,  /* JSON {"do": name, …}, WCI_FRAME_STREAM_MAX at most; ANSWER comes back */
    WCI_FRAME_EXEC = 11,     /* JSON, WCI_FRAME_STREAM_MAX at most: a further process, whose connection this becomes */
    WCI_FRAME_SUBSCRIBE = 12, /* reserved: figures, again and again */

    /* From the helper */
    WCI_FRAME_REPORT = 64,   /* JSON: how the start went */
    WCI_FRAME_HELLO = 65,    /* u32 version, u32 WCI_HELLO_*; first on an accepted connection */
    WCI_FRAME_ATTACHED = 66,
    WCI_FRAME_OUTPUT = 67,   /* bytes of the channel in the header */
    WCI_FRAME_EXIT = 68,     /* i32 exit code, i64 time of the end; the last frame */
    WCI_FRAME_RESULT = 69,   /* i32 WC_OK or WC_E_*, then text */
    WCI_FRAME_ERROR = 70,    /* i32 WC_E_*, then text; the last frame */
    WCI_FRAME_ANSWER = 71,   /* JSON: how a COMMAND went, as in REPORT, and its "result" */
};

enum {
    WCI_HELLO_STDIN = 1, /* standard input is open */
    WCI_HELLO_TTY = 2,
    WCI_HELLO_COMMANDS = 4, /* it takes COMMAND */
    WCI_HELLO_EXEC = 8,     /* it takes EXEC */
};

/* Files of a run directory. */
#define WCI_RUN_LOCK "lock"            /* held by the monitor as long as it lives */
#define WCI_RUN_MOUNT_LOCK "mount.lock" /* held by whoever has the overlay mounted */
#define WCI_RUN_SOCKET "ctl.sock"
#define WCI_RUN_STATE "monitor.json"   /* there once the process runs */
#define WCI_RUN_PAUSED "paused"         /* there while its processes are held */
#define WCI_RUN_EXIT "exit.json"       /* there once it has ended */
#define WCI_RUN_RUNTIME "runtime.json" /* there while the runtime works */
#define WCI_RUN_ROOTFS "rootfs"
#define WCI_RUN_USERNS "userns"        /* and the user namespace that it belongs to, when the container has its own */
#define WCI_RUN_NETNS "netns"          /* where the monitor binds the network namespace, for itself and the runtime */
#define WCI_RUN_NETWORK "network.json" /* there while something of the container's networks may be on the host */
#define WCI_RUN_NETWORK_LOCK "network.lock" /* held by whoever changes them */
#define WCI_USERNS_ROOTS "/run/wincontainer-roots" /* where monitors, each for itself, show roots to user namespaces */
#define WCI_RUN_EXEC "exec"            /* one run directory per further process */

static inline void wci_put_u32(unsigned char *to, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        to[i] = (unsigned char)(v >> (8 * i));
}

static inline uint32_t wci_get_u32(const void *data)
{
    const unsigned char *p = data;
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline void wci_put_u64(unsigned char *to, uint64_t v)
{
    wci_put_u32(to, (uint32_t)v);
    wci_put_u32(to + 4, (uint32_t)(v >> 32));
}

static inline uint64_t wci_get_u64(const void *data)
{
    return wci_get_u32(data) | (uint64_t)wci_get_u32((const char *)data + 4) << 32;
}

static inline void wci_frame_header(unsigned char to[WCI_FRAME_HEADER], int type, int channel,
                                    uint32_t size)
{
    wci_put_u32(to, size);
    to[4] = (unsigned char)type;
    to[5] = (unsigned char)channel;
    to[6] = to[7] = 0;
}

#endif
