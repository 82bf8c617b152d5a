/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Networks: made, listed, removed; containers joined to them; published ports.
 *
 * A container is on the default network, "bridge", unless wc_container_options_set_network() or
 * wc_container_options_add_network() say otherwise. The default network comes into being when it is first needed.
 * On Linux the process backend sets networks up with netavark, and names with aardvark-dns; where these are missing
 * the start of a container fails with WC_E_MISSING and names the package, unless its network is "none", "host" or
 * another container's.
 *
 * Options objects belong to one thread; networks may be shared between threads.
 */
#ifndef WINCONTAINER_NETWORK_H
#define WINCONTAINER_NETWORK_H

#include <wincontainer/base.h>
#include <wincontainer/cancel.h>
#include <wincontainer/container.h>
#include <wincontainer/context.h>
#include <wincontainer/error.h>
#include <wincontainer/memory.h>

#ifdef __cplusplus
extern "C" {
#endif


/** A network of the store. @since 0.1 */
typedef struct wc_network wc_network;
/** What a new network is to be. @since 0.1 */
typedef struct wc_network_options wc_network_options;
/** How a container is joined to one network. @since 0.1 */
typedef struct wc_endpoint_options wc_endpoint_options;

/* ---- Options of a network ---------------------------------------------------------------------- */

/** A bridge of this name with NAT, names and isolation from other networks. Names: [a-zA-Z0-9][a-zA-Z0-9_.-]*, at
 * most 128 bytes, and none that means something else, such as "host". Ownership: *out is the caller's.
 * Thread-safety: any thread. Blocking: no. @return WC_OK, WC_E_INVALID, WC_E_NOMEM. @since 0.1 */
WC_API int32_t wc_network_options_new(const char *name, wc_network_options **out, wc_error **err);
/** Releases them. NULL accepted. @since 0.1 */
WC_API void wc_network_options_unref(wc_network_options *options);
/** "bridge", "macvlan" or "ipvlan"; WC_E_UNSUPPORTED for others. The last two need a subnet, and give containers a
 * place of their own in the network of an interface of the host, option "parent". @since 0.1 */
WC_API int32_t wc_network_options_set_driver(wc_network_options *options, const char *driver, wc_error **err);
/** 1: nothing outside of it can be reached, and it cannot be reached from there. @since 0.1 */
WC_API int32_t wc_network_options_set_internal(wc_network_options *options, int32_t internal, wc_error **err);
/** 1: containers get an IPv6 address as well, of a subnet that is chosen unless one is given. @since 0.1 */
WC_API int32_t wc_network_options_set_ipv6(wc_network_options *options, int32_t ipv6, wc_error **err);
/** 0: containers do not find each other by name; default 1. @since 0.1 */
WC_API int32_t wc_network_options_set_dns(wc_network_options *options, int32_t dns, wc_error **err);
/** A subnet, "10.1.0.0/16" or "fd00:1::/64". `gateway`: the host's address in it, NULL: the first one. `range`: the
 * part of it that addresses are chosen from, "10.1.2.0/24", NULL: all. Without subnets one is chosen that neither
 * the host nor another network uses. @return WC_OK, WC_E_INVALID, WC_E_NOMEM. @since 0.1 */
WC_API int32_t wc_network_options_add_subnet(wc_network_options *options, const char *subnet, const char *gateway,
                                             const char *range, wc_error **err);
/** An option of the driver: "mtu" (bytes), "isolate" ("true", the default: containers of other such networks cannot be
 * reached; "false"), "parent" (interface of the host), "mode" (of macvlan: bridge, private, vepa, passthru; of
 * ipvlan: l2, l3, l3s), "com.docker.network.driver.mtu", "com.docker.network.bridge.name". @return WC_OK,
 * WC_E_UNSUPPORTED for another key, WC_E_INVALID for a bad value, WC_E_NOMEM. @since 0.1 */
WC_API int32_t wc_network_options_add_option(wc_network_options *options, const char *key, const char *value,
                                             wc_error **err);
/** A label; one of the same key is replaced. @since 0.1 */
WC_API int32_t wc_network_options_add_label(wc_network_options *options, const char *key, const char *value,
                                            wc_error **err);

/* ---- Networks ---------------------------------------------------------------------------------- */

/** Makes a network: only its record; interfaces come with the first container. Ownership: *out is the caller's.
 * Thread-safety: any thread. Blocking: on the store. @return WC_OK, WC_E_INVALID, WC_E_EXISTS when the name is
 * taken, WC_E_IN_USE when another network has the subnet, WC_E_LIMIT when none is free, WC_E_CANCELLED,
 * WC_E_TIMEOUT. @since 0.1 */
WC_API int32_t wc_network_create(wc_context *context, const wc_network_options *options, wc_cancel *cancel,
                                 wc_network **out, wc_error **err);
/** By name, id or unique beginning of the id; "bridge" is made if need be. Ownership: *out is the caller's.
 * Thread-safety: any thread. Blocking: on the store. @return WC_OK, WC_E_NOT_FOUND, WC_E_INVALID when several ids
 * begin so. @since 0.1 */
WC_API int32_t wc_network_open(wc_context *context, const char *id_or_name, wc_network **out, wc_error **err);
/** All of them, by name: a snapshot for wc_list_network(). Ownership: *out is the caller's. Thread-safety: any
 * thread. Blocking: on the store. @since 0.1 */
WC_API int32_t wc_network_list(wc_context *context, wc_list **out, wc_error **err);
/** Element of wc_network_list(), lent by the list; NULL for another list or index. @since 0.1 */
WC_API wc_network *wc_list_network(const wc_list *list, size_t index);
/** One more reference. Thread-safety: any thread. @return its argument. @since 0.1 */
WC_API wc_network *wc_network_ref(wc_network *network);
/** One reference less. NULL accepted. Thread-safety: any thread. @since 0.1 */
WC_API void wc_network_unref(wc_network *network);
/** Its name; lent. NULL for NULL. @since 0.1 */
WC_API const char *wc_network_name(const wc_network *network);
/** Its id, 64 hex digits; lent. NULL for NULL. @since 0.1 */
WC_API const char *wc_network_id(const wc_network *network);
/** "bridge", "macvlan" or "ipvlan"; lent. NULL for NULL. @since 0.1 */
WC_API const char *wc_network_driver(const wc_network *network);
/** JSON with the fields of `docker network inspect`, with the containers that run on it now. Ownership: *out is the
 * caller's. Thread-safety: any thread. Blocking: on the store. @return WC_OK, WC_E_NOMEM. @since 0.1 */
WC_API int32_t wc_network_inspect(wc_network *network, wc_buf **out, wc_error **err);
/** Removes it from the store; the handle can only be released afterwards. Thread-safety: any thread. Blocking: on the
 * store. @return WC_OK, WC_E_IN_USE while a container runs on it, WC_E_INVALID for "bridge", WC_E_NOT_FOUND.
 * @since 0.1 */
WC_API int32_t wc_network_remove(wc_network *network, wc_error **err);
/** Removes every network that no container is joined to, except "bridge"; their names into *removed (may be NULL).
 * Thread-safety: any thread. Blocking: on the store. @since 0.1 */
WC_API int32_t wc_network_prune(wc_context *context, wc_cancel *cancel, wc_list **removed, wc_error **err);

/* ---- Containers on networks -------------------------------------------------------------------- */

/** Nothing in particular is asked of the endpoint. Ownership: *out is the caller's. Thread-safety: any thread.
 * @since 0.1 */
WC_API int32_t wc_endpoint_options_new(wc_endpoint_options **out, wc_error **err);
/** Releases them. NULL accepted. @since 0.1 */
WC_API void wc_endpoint_options_unref(wc_endpoint_options *options);
/** A further name that other containers of the network find it by. @since 0.1 */
WC_API int32_t wc_endpoint_options_add_alias(wc_endpoint_options *options, const char *alias, wc_error **err);
/** This address, "10.1.0.5", instead of a chosen one; not on the default network. @since 0.1 */
WC_API int32_t wc_endpoint_options_set_ipv4(wc_endpoint_options *options, const char *address, wc_error **err);
/** This address, "fd00:1::5", instead of a chosen one; not on the default network. @since 0.1 */
WC_API int32_t wc_endpoint_options_set_ipv6(wc_endpoint_options *options, const char *address, wc_error **err);
/** This hardware address, "02:42:ac:11:00:02", instead of one made of the IP address. @since 0.1 */
WC_API int32_t wc_endpoint_options_set_mac(wc_endpoint_options *options, const char *address, wc_error **err);

/** Joins a container to a further network: from its next start, or at once when it runs. `options` may be NULL.
 * Thread-safety: any thread. Blocking: on the backend. @return WC_OK, WC_E_EXISTS when it is joined already,
 * WC_E_STATE when its network is "none", "host" or another container's, WC_E_IN_USE for an address that is taken,
 * WC_E_UNSUPPORTED, WC_E_MISSING, WC_E_RUNTIME, WC_E_CANCELLED, WC_E_TIMEOUT. @since 0.1 */
WC_API int32_t wc_network_connect(wc_network *network, wc_container *container, const wc_endpoint_options *options,
                                  wc_cancel *cancel, wc_error **err);
/** Parts them, at once when the container runs. Thread-safety: any thread. Blocking: on the backend. @return WC_OK,
 * WC_E_NOT_FOUND when they are not joined, and as wc_network_connect(). @since 0.1 */
WC_API int32_t wc_network_disconnect(wc_network *network, wc_container *container, wc_cancel *cancel, wc_error **err);
/** What the running container has published: JSON {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}]}, "{}" when
 * it does not run. Ownership: *out is the caller's. Thread-safety: any thread. Blocking: on the store. @since 0.1 */
WC_API int32_t wc_container_ports(wc_container *container, wc_buf **out, wc_error **err);

/* ---- Options of a container -------------------------------------------------------------------- */

/** A network that the container is joined to; the first takes the place of the default one, each gets an interface,
 * eth0, eth1 and so on. `network`: name or id, which must be there when the container is created. `endpoint` is
 * copied and may be NULL. @return WC_OK, WC_E_INVALID, also together with the modes "none", "host" and
 * "container:NAME", WC_E_NOMEM. @since 0.1 */
WC_API int32_t wc_container_options_add_network(wc_container_options *options, const char *network,
                                                const wc_endpoint_options *endpoint, wc_error **err);
/** Publishes `count` ports of the container from `container_port` on at those of the host from `host_port` on; 0: any
 * that are free. `host_ip`: the address of the host, "" or NULL: all. `protocol`: "tcp", "udp" or "sctp". Without a
 * network of its own nothing is published. @return WC_OK, WC_E_INVALID, WC_E_NOMEM. @since 0.1 */
WC_API int32_t wc_container_options_add_port(wc_container_options *options, const char *host_ip, int32_t host_port,
                                             int32_t container_port, const char *protocol, int32_t count,
                                             wc_error **err);
/** A port that the container offers, "80/tcp" or "8000-8010/udp", besides those of its image. @since 0.1 */
WC_API int32_t wc_container_options_add_exposed_port(wc_container_options *options, const char *port, wc_error **err);
/** 1: every port that is exposed and not published is published at any port that is free. @since 0.1 */
WC_API int32_t wc_container_options_set_publish_all(wc_container_options *options, int32_t publish, wc_error **err);
/** A name server, numeric, instead of the host's. @since 0.1 */
WC_API int32_t wc_container_options_add_dns(wc_container_options *options, const char *address, wc_error **err);
/** A domain to search names in instead of the host's; "." alone: none. resolv.conf(5). @since 0.1 */
WC_API int32_t wc_container_options_add_dns_search(wc_container_options *options, const char *domain, wc_error **err);
/** An option of the resolver instead of the host's, "ndots:2". resolv.conf(5). @since 0.1 */
WC_API int32_t wc_container_options_add_dns_option(wc_container_options *options, const char *option, wc_error **err);
/** A line of /etc/hosts. `address`: numeric, or "host-gateway" for the host as the container sees it. @since 0.1 */
WC_API int32_t wc_container_options_add_host(wc_container_options *options, const char *name, const char *address,
                                             wc_error **err);

#ifdef __cplusplus
}
#endif

#endif
