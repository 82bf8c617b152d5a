/* SPDX-License-Identifier: Apache-2.0 */
/* netavark's document: one container, the networks that it is joined to, and its published ports. */
#ifndef WCI_NETWORK_DOCUMENT_H
#define WCI_NETWORK_DOCUMENT_H

#include "network/settings.h"

/* One network as one container is joined to it. */
typedef struct wci_attachment {
    const char *network_id;
    const wci_network_settings *network;
    const char *name;      /* what netavark knows the network by, of its own on this host: other programs and stores
                            * may have networks of the same name */
    const char *device;    /* the bridge or parent on the host, "" for that of the default route */
    const char *interface_name; /* in the container: "eth0" */
    const char *mac;       /* or "" */
    wci_strv addresses;    /* texts, without a prefix length */
    wci_strv aliases;      /* names besides the container's own */
} wci_attachment;

typedef struct wci_published {
    const char *protocol, *host_ip; /* host_ip "": every address */
    int32_t host_port, container_port;
} wci_published;

/* `dns`: whom aardvark-dns asks for this container, the host's when empty. NULL: out of memory. */
json_t *wci_netavark_document(const char *container_id, const char *container_name, const wci_attachment *attachments,
                              size_t attachment_count, const wci_published *ports, size_t port_count,
                              const wci_strv *dns);

#endif
