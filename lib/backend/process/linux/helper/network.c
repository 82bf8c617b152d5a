/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/process/linux/helper/network.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/process/linux/helper/hostports.h"
#include "backend/process/linux/helper/joins.h"
#include "backend/process/linux/helper/netavark.h"
#include "backend/process/linux/helper/netns.h"
#include "backend/process/linux/helper/userns.h"
#include "backend/process/protocol.h"
#include "backend/process/state.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "platform/file.h"

#define RECORD_MAX ((size_t)4 << 20)
#define LOCK_WAIT_MS 120000
#define IDLE_WAIT_MS 500

/* ---- The record of what is on the host ------------------------------------------------------------ */

static int32_t read_record(json_t **out, wc_error **err)
{
    return wci_json_read(WCI_RUN_NETWORK, RECORD_MAX, "network.json", out, err);
}

static int32_t write_record(json_t *record, wc_error **err)
{
    char *text = wci_json_dump_text(record);
    int32_t rc = text ? wci_file_write_atomic(WCI_RUN_NETWORK, text, strlen(text), 0600, 0, err) : wci_err_nomem(err);
    wci_free(text);
    return rc;
}

static const char *text_of(json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

/* Of a record or request, which look alike. */
static netavark program_of(json_t *record, const netavark_host *host)
{
    return (netavark){text_of(record, "netavark"), text_of(record, "aardvark"), text_of(record, "configDir"), *host};
}

/* Of an ordinary user: netavark works in the hub, and ports are published by a process of ours. */
static int is_of_hub(json_t *record)
{
    return json_object_get(record, "hub") != NULL;
}

static json_t *what_netavark_does(json_t *record, json_t *document)
{
    json_t *copy = is_of_hub(record) ? json_copy(document) : json_incref(document);
    if (is_of_hub(record))
        json_object_del(copy, "port_mappings");
    return copy;
}

static int32_t run_document(json_t *record, const netavark_host *host, const char *what, int netns, json_t *document,
                            wc_error **err)
{
    netavark n = program_of(record, host);
    json_t *shown = what_netavark_does(record, document);
    char *text = shown ? wci_json_dump_text(shown) : NULL;
    int32_t rc = text ? netavark_run(&n, what, netns, text, err) : wci_err_nomem(err);
    json_decref(shown);
    wci_free(text);
    return rc;
}

/* Of a document that netavark has set up. */
static void pin_bridges(const netavark_host *host, json_t *document)
{
    const char *id;
    json_t *info;
    json_object_foreach(json_object_get(document, "network_info"), id, info)
        if (!strcmp(text_of(info, "driver"), "bridge"))
            netns_pin_bridge(host->net, text_of(info, "network_interface"));
}

static int32_t lock_networks(wci_lock **lock, wc_error **err)
{
    for (int waited = 0;; waited += 2) {
        int32_t rc = wci_lock_try(WCI_RUN_NETWORK_LOCK, WCI_LOCK_EXCLUSIVE, lock, err);
        if (rc != WC_E_BUSY || waited >= LOCK_WAIT_MS)
            return rc;
        wci_err_clear(err);
        poll(NULL, 0, 2);
    }
}

/* ---- Taking away ---------------------------------------------------------------------------------- */

static int interfaces_of(json_t *document, wci_strv *out)
{
    const char *name;
    json_t *endpoint;
    json_object_foreach(json_object_get(document, "networks"), name, endpoint)
        if (wci_strv_add(out, text_of(endpoint, "interface_name")))
            return WC_E_NOMEM;
    return 0;
}

/* A document with one of the networks. */
static json_t *only(json_t *document, const char *network)
{
    json_t *one = json_copy(document);
    json_t *networks = json_object(), *infos = json_object();
    int failed = json_object_set(networks, network, json_object_get(json_object_get(document, "networks"), network)) |
                 json_object_set(infos, network, json_object_get(json_object_get(document, "network_info"), network)) |
                 json_object_set_new(one, "networks", networks) | json_object_set_new(one, "network_info", infos);
    if (!failed)
        return one;
    json_decref(one);
    return NULL;
}

/* In a namespace that has what netavark looks for, but nothing else. */
static int32_t teardown_alone(json_t *record, const netavark_host *host, json_t *document, wc_error **err)
{
    wci_strv interfaces = WCI_STRV_INIT;
    int netns = -1;
    int32_t rc = interfaces_of(document, &interfaces) ? wci_err_nomem(err) : WC_OK;
    if (!rc)
        rc = netns_stand_in(&interfaces, &netns, err);
    if (!rc)
        (void)run_document(record, host, "teardown", netns, document, NULL);
    if (netns >= 0)
        close(netns);
    wci_strv_free(&interfaces);
    return rc;
}

/* netavark takes away only what is whole: at the first part that is missing it leaves off, and after a kill any may be.
 * So it first makes the rest, for a namespace that goes at once. Where that fails it is told to take away what there
 * is; what it says then is of no interest, since it complains of what is gone. */
static int32_t teardown_one(json_t *record, const netavark_host *host, json_t *document, wc_error **err)
{
    wci_strv none = WCI_STRV_INIT;
    int netns = -1;
    int32_t rc = netns_stand_in(&none, &netns, err);
    if (rc)
        return rc;
    int failed = run_document(record, host, "setup", netns, document, NULL);
    failed = run_document(record, host, "teardown", netns, document, NULL) || failed;
    close(netns);
    return failed ? teardown_alone(record, host, document, err) : WC_OK;
}

/* The kernel takes its time over a namespace whose last process has gone, and meanwhile its interface holds the bridge,
 * which then nobody removes. Others on the bridge cost us this time in vain. */
static int bridge_is_idle(const netavark_host *host, const char *bridge)
{
    int ports = netns_bridge_ports(host->net, bridge);
    for (int waited = 0; ports > 0 && waited < IDLE_WAIT_MS; waited += 10) {
        poll(NULL, 0, 10);
        ports = netns_bridge_ports(host->net, bridge);
    }
    return ports == 0;
}

static int32_t teardown_whole(json_t *record, const netavark_host *host, json_t *document, const char *network, wc_error **err)
{
    json_t *info = json_object_get(json_object_get(document, "network_info"), network);
    int is_bridge = strcmp(text_of(info, "driver"), "bridge") == 0;
    json_t *one = only(document, network);
    int32_t rc = one ? teardown_one(record, host, one, err) : wci_err_nomem(err);
    if (!rc && is_bridge && bridge_is_idle(host, text_of(info, "network_interface")))
        rc = teardown_one(record, host, one, err);
    json_decref(one);
    return rc;
}

static int32_t teardown_without(json_t *record, const netavark_host *host, wc_error **err)
{
    json_t *document = json_object_get(record, "document"), *endpoint;
    const char *network;
    int32_t rc = WC_OK;
    json_object_foreach(json_object_get(document, "networks"), network, endpoint)
        if (!rc)
            rc = teardown_whole(record, host, document, network, err);
    return rc;
}

/* Where a hub is gone, all has gone with it: WC_E_NOT_FOUND. */
static int32_t find_host(json_t *record, int host_mounts, hub *h, netavark_host *host, wc_error **err)
{
    *h = HUB_NONE;
    int32_t rc = is_of_hub(record) ? hub_connect(text_of(record, "configDir"), NULL, -1, h, err) : WC_OK;
    *host = is_of_hub(record) ? (netavark_host){h->mounts, h->netns} : (netavark_host){host_mounts, -1};
    return rc;
}

static int32_t clear(json_t *record, int host_mounts, wc_error **err)
{
    hub h;
    netavark_host host;
    int32_t rc = find_host(record, host_mounts, &h, &host, err);
    if (!rc)
        rc = teardown_without(record, &host, err);
    else if (rc == WC_E_NOT_FOUND) {
        wci_err_clear(err);
        hub_clear(text_of(record, "configDir"));
        rc = WC_OK;
    }
    hub_close(&h);
    return rc;
}

int32_t network_clear(int host_mounts, wc_error **err)
{
    json_t *record = NULL;
    if (!wci_file_exists(WCI_RUN_NETWORK))
        return WC_OK;
    if (!read_record(&record, NULL)) /* one that nobody can read tells nothing */
    {
        int32_t rc = clear(record, host_mounts, err);
        json_decref(record);
        if (rc)
            return rc;
    }
    return wci_file_remove(WCI_RUN_NETWORK, err);
}

/* Where netavark works for a container that is there. */
static netavark_host host_of(const run_network *n)
{
    return n->hub.dir ? (netavark_host){n->hub.hub.mounts, n->hub.hub.netns} : (netavark_host){n->host_mounts, -1};
}

static int32_t teardown_bound(const netavark_host *host, wc_error **err)
{
    json_t *record = NULL;
    int netns = netns_open_bound();
    int32_t rc = netns < 0 ? wci_err_errno(err, errno, "network namespace") : read_record(&record, err);
    if (!rc)
        rc = run_document(record, host, "teardown", netns, json_object_get(record, "document"), err);
    if (netns >= 0)
        close(netns);
    json_decref(record);
    return rc ? rc : wci_file_remove(WCI_RUN_NETWORK, err);
}

/* The record's networks instead of those of the first run. */
static int take_document(json_t *network, json_t *record)
{
    json_t *document = json_object_get(record, "document");
    if (!json_object_size(json_object_get(document, "networks")))
        return json_object_del(network, "document");
    return json_object_set(network, "document", document);
}

/* Without memory for it the next run has the networks of this one's start. */
static void follow_changes(request *req)
{
    json_t *record = NULL, *network = json_loads(req->network ? req->network : "", 0, NULL);
    char *text = NULL;
    if (network && !read_record(&record, NULL) && !take_document(network, record))
        text = wci_json_dump_text(network);
    if (text) {
        wci_free(req->network);
        req->network = text;
    }
    json_decref(record);
    json_decref(network);
}

void network_end(request *req, run_network *n)
{
    wci_lock *lock = NULL;
    netavark_host host = host_of(n);
    forward_stop(&n->forward);
    uplink_stop(&n->uplink);
    int is_left = wci_file_exists(WCI_RUN_NETWORK) && !lock_networks(&lock, NULL);
    if (is_left)
        follow_changes(req);
    if (is_left)
        is_left = teardown_bound(&host, NULL) != WC_OK;
    if (n->netns > 0)
        close(n->netns);
    n->netns = 0;
    netns_release(); /* and its interfaces with it */
    userns_unbind();
    if (is_left)
        (void)network_clear(n->host_mounts, NULL);
    hub_leave(&n->hub);
    wci_lock_release(lock);
}

/* ---- Setting up ----------------------------------------------------------------------------------- */

static json_t *new_record(json_t *network)
{
    return json_pack("{s:i, s:O*, s:s, s:s, s:s, s:O}", "version", 1, "hub", json_object_get(network, "hub"), "netavark",
                     text_of(network, "netavark"), "aardvark", text_of(network, "aardvark"), "configDir",
                     text_of(network, "configDir"), "document", json_object_get(network, "document"));
}

static int has_ipv6(json_t *document)
{
    const char *name;
    json_t *info;
    json_object_foreach(json_object_get(document, "network_info"), name, info)
        if (json_is_true(json_object_get(info, "ipv6_enabled")))
            return 1;
    return 0;
}

/* The first that it has. */
static const char *address_of(json_t *document)
{
    const char *name;
    json_t *endpoint;
    json_object_foreach(json_object_get(document, "networks"), name, endpoint)
    {
        const char *address = json_string_value(json_array_get(json_object_get(endpoint, "static_ips"), 0));
        if (address)
            return address;
    }
    return "127.0.0.1";
}

/* An ordinary user's are published by a process of ours, once there is an address to carry to; root's are held, and
 * netavark's rules do the rest. */
static int32_t publish(json_t *document, run_network *n, int32_t before, wc_error **err)
{
    json_t *ports = json_object_get(document, "port_mappings");
    if (before)
        return n->hub.dir ? WC_OK : hostports_hold(ports, has_ipv6(document), err);
    return n->hub.dir ? forward_start(&n->forward, ports, address_of(document), n->netns, err) : WC_OK;
}

static int32_t set_up(json_t *wishes, run_network *n, wc_error **err)
{
    json_t *document = json_object_get(wishes, "document");
    json_t *record = new_record(wishes);
    json_t *hub_wishes = json_object_get(wishes, "hub");
    int32_t rc = record ? WC_OK : wci_err_nomem(err);
    if (!rc && hub_wishes)
        rc = hub_join(&n->hub, text_of(wishes, "configDir"), hub_wishes, err);
    netavark_host host = host_of(n);
    if (!rc)
        rc = publish(document, n, 1, err);
    if (!rc)
        rc = write_record(record, err);
    if (!rc)
        rc = run_document(record, &host, "setup", n->netns, document, err);
    if (!rc)
        pin_bridges(&host, document);
    if (!rc)
        rc = publish(document, n, 0, err);
    json_decref(record);
    return rc;
}

/* Another container may have been restarted since our first run; an older library names its process alone. */
static int32_t join(const request *req, json_t *network, int *netns, wc_error **err)
{
    const char *container = json_string_value(json_object_get(network, "join"));
    wci_run_state state = {.pid = json_integer_value(json_object_get(network, "joinPid")),
                           .pid_start = json_integer_value(json_object_get(network, "joinStart"))};
    int32_t rc = container ? joins_find_process(req, container, &state, err) : WC_OK;
    return rc ? rc : netns_join(state.pid, state.pid_start, netns, err);
}

/* One that belongs to the user namespace of the container, which is bound for the runtime to join. */
static int32_t make_of_container(const request *req, int *netns, wc_error **err)
{
    wci_fd userns = WCI_FD_NONE;
    int32_t rc = userns_is_own(req) ? userns_bind(req, &userns, err) : WC_OK;
    if (!rc)
        rc = netns_make((int)userns, netns, err);
    wci_fd_close(userns);
    return rc;
}

static int32_t connect_up(const request *req, json_t *wishes, uplink *up, wc_error **err)
{
    char *netns = wci_path_join(req->run_dir, WCI_RUN_NETNS);
    int32_t rc = netns ? uplink_read(wishes, netns, up, err) : wci_err_nomem(err);
    wci_free(netns);
    return rc ? rc : uplink_start(up, err);
}

int32_t network_begin(const request *req, run_network *n, wc_error **err)
{
    json_t *wishes = NULL;
    int netns = -1;
    if (!req->network)
        return WC_OK;
    int32_t rc = wci_json_parse(req->network, strlen(req->network), RECORD_MAX, "networks of the request", &wishes, err);
    if (!rc)
        rc = json_object_get(wishes, "joinPid") ? join(req, wishes, &netns, err) : make_of_container(req, &netns, err);
    n->netns = netns > 0 ? netns : 0;
    if (!rc && json_object_get(wishes, "document"))
        rc = set_up(wishes, n, err);
    else if (!rc && json_object_get(wishes, "uplink"))
        rc = connect_up(req, json_object_get(wishes, "uplink"), &n->uplink, err);
    json_decref(wishes);
    return rc;
}

void network_watch(run_network *n, loop *l, void (*told)(void *owner, const char *why), void *owner)
{
    uplink_watch(&n->uplink, l, told, owner);
    hub_watch(&n->hub, l, told, owner);
    forward_watch(&n->forward, l);
}

/* ---- While it runs: connect, disconnect; or after a monitor that was killed ------------------------- */

static void add_part(json_t *document, json_t *part, const char *key)
{
    json_object_update(json_object_get(document, key), json_object_get(part, key));
}

static void take_part(json_t *document, json_t *part)
{
    const char *network;
    json_t *endpoint;
    json_object_foreach(json_object_get(part, "networks"), network, endpoint)
    {
        json_object_del(json_object_get(document, "networks"), network);
        json_object_del(json_object_get(document, "network_info"), network);
    }
}

/* Noted before it is made. */
static int32_t connect(json_t *record, const netavark_host *host, json_t *network, int netns, wc_error **err)
{
    json_t *document = json_object_get(record, "document"), *part = json_object_get(network, "document");
    add_part(document, part, "networks");
    add_part(document, part, "network_info");
    int32_t rc = write_record(record, err);
    if (!rc)
        rc = run_document(record, host, "setup", netns, part, err);
    if (!rc) {
        pin_bridges(host, part);
        return WC_OK;
    }
    (void)run_document(record, host, "teardown", netns, part, NULL);
    take_part(document, part);
    (void)write_record(record, NULL);
    return rc;
}

static int32_t disconnect(json_t *record, const netavark_host *host, json_t *network, int netns, wc_error **err)
{
    json_t *document = json_object_get(record, "document"), *part = json_object_get(network, "document");
    if (run_document(record, host, "teardown", netns, part, NULL)) {
        int32_t rc = teardown_one(record, host, part, err);
        if (rc)
            return rc;
    }
    take_part(document, part);
    return write_record(record, err);
}

/* A container that was started without networks has none; what it is to be connected to is put into the new one. */
static int32_t find_record(const request *req, json_t *network, json_t **out, wc_error **err)
{
    if (wci_file_exists(WCI_RUN_NETWORK))
        return read_record(out, err);
    if (strcmp(req->what, "connect"))
        return wci_err(err, WC_E_STATE, "network: the container has ended, or has no networks of its own");
    json_t *own = json_deep_copy(network);
    *out = own ? new_record(own) : NULL;
    json_decref(own);
    return *out ? WC_OK : wci_err_nomem(err);
}

/* The container may end while we wait for the lock, and its record with it. */
static int32_t change(const request *req, json_t *network, wc_error **err)
{
    json_t *record = NULL;
    hub h = HUB_NONE;
    netavark_host host;
    int netns = -1;
    int32_t rc = netns_of(req->pid, req->pid_start, &netns, err);
    if (!rc)
        rc = find_record(req, network, &record, err);
    if (!rc)
        rc = find_host(record, -1, &h, &host, err);
    if (!rc)
        rc = strcmp(req->what, "connect") ? disconnect(record, &host, network, netns, err)
                                          : connect(record, &host, network, netns, err);
    hub_close(&h);
    if (netns >= 0)
        close(netns);
    json_decref(record);
    return rc;
}

static int32_t work(const request *req, wc_error **err)
{
    json_t *network = NULL;
    wci_lock *lock = NULL;
    int32_t rc = chdir(req->run_dir) != 0 ? wci_err_errno(err, errno, "directory '%s'", req->run_dir) : WC_OK;
    if (!rc)
        rc = lock_networks(&lock, err);
    if (!rc && strcmp(req->what, "clear") == 0)
        rc = network_clear(-1, err);
    else if (!rc)
        rc = wci_json_parse(req->network, strlen(req->network), RECORD_MAX, "networks of the request", &network, err);
    if (!rc && network)
        rc = change(req, network, err);
    json_decref(network);
    wci_lock_release(lock);
    return rc;
}

int network_main(request *req)
{
    wc_error *err = NULL;
    int32_t rc = req->what && req->run_dir && (req->network || strcmp(req->what, "clear") == 0)
                     ? work(req, &err)
                     : wci_err(&err, WC_E_FORMAT, "wc-helper: the request says not what to do");
    if (rc)
        report_error(err);
    else
        report_ok(0, 0, NULL);
    wc_error_unref(err);
    return rc != 0;
}
