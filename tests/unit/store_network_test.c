/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of networks, endpoints, addresses and ports; and that of many processes, some of them killed at any moment, no two
 * ever have the same address, and none is lost.
 *
 *     store_network_test worker DIRECTORY NUMBER      what the test starts for that */
#include "store_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "network/allocate.h"
#include "store/network.h"

/* Check's asserts are for the test itself: a worker says why, and ends. */
static int is_worker;

static void check_worker(const char *what, int good)
{
    if (good)
        return;
    fprintf(stderr, "worker: %s: %s\n", what, error ? wc_error_message(error) : "");
    _exit(3);
}

#undef ok
#define ok(expression)                                                                             \
    do {                                                                                           \
        int32_t ok_rc = (expression);                                                              \
        if (is_worker)                                                                             \
            check_worker(#expression, ok_rc == WC_OK);                                             \
        else                                                                                       \
            ck_assert_msg(ok_rc == WC_OK, "%s: %s: %s", #expression, wc_code_name(ok_rc),          \
                          error ? wc_error_message(error) : "");                                   \
    } while (0)

#define WORKERS 8
#define ADDRESSES 6 /* fewer than workers: they must wait for each other */

static void insert_network(const char *id, const char *name, const char *device)
{
    wci_network_record record = {.name = (char *)name, .driver = (char *)"bridge", .device = (char *)device,
                                 .config = (char *)"{}", .created_ns = 7};
    snprintf(record.id, sizeof record.id, "%s", id);
    ok(wci_network_insert(&call, store, &record, NULL, NULL, &error));
}

static int64_t generation_of(const char *id)
{
    wci_container_record *record = NULL;
    ok(wci_container_find(store, id, &record, &error));
    int64_t generation = record->generation;
    wci_container_record_free(record);
    return generation;
}

static int64_t begin_run(const char *id)
{
    wci_container_change change = {.from = ~0u, .generation = -1, .status = WCI_STATUS_STARTING, .bump_generation = 1};
    ok(wci_container_update(store, id, &change, &error));
    return generation_of(id);
}

static void end_run(const char *id)
{
    wci_container_change change = {.from = ~0u, .generation = -1, .status = WCI_STATUS_EXITED, .finished_ns = 5};
    ok(wci_container_update(store, id, &change, &error));
}

static int32_t lease(const char *network, const char *address, const char *container, int64_t generation)
{
    int32_t rc = wci_leases_begin(&call, store, &error);
    if (!rc)
        rc = wci_leases_end(store, wci_lease_add(store, network, address, container, generation, 0, &error), &error);
    return rc;
}

static size_t leases_of(const char *network)
{
    wci_strv taken = WCI_STRV_INIT;
    ok(wci_leases_begin(&call, store, &error));
    ok(wci_leases_end(store, wci_lease_taken(store, network, &taken, &error), &error));
    size_t count = taken.count;
    wci_strv_free(&taken);
    return count;
}

START_TEST(networks_are_found_as_containers_are)
{
    wci_network_record *record = NULL;
    insert_network("aa11", "web", "br-web");
    insert_network("aa22", "db", "");
    insert_network("bb33", "aa", ""); /* a name wins over a prefix */
    ok(wci_network_find(store, "aa1", &record, &error));
    ck_assert_str_eq(record->name, "web");
    ck_assert_str_eq(record->device, "br-web");
    wci_network_record_free(record);
    ok(wci_network_find(store, "aa", &record, &error));
    ck_assert_str_eq(record->id, "bb33");
    wci_network_record_free(record);
    fails(WC_E_NOT_FOUND, wci_network_find(store, "nosuch", &record, &error));
    wci_network_record again = {.id = "cc", .name = (char *)"web", .driver = (char *)"bridge", .config = (char *)"{}"};
    fails(WC_E_EXISTS, wci_network_insert(&call, store, &again, NULL, NULL, &error));
    again.name = (char *)"other", again.device = (char *)"br-web";
    fails(WC_E_EXISTS, wci_network_insert(&call, store, &again, NULL, NULL, &error));
    wci_network_record **list = NULL;
    size_t count = 0;
    ok(wci_network_list(store, &list, &count, &error));
    ck_assert_uint_eq(count, 3);
    ck_assert_str_eq(list[0]->name, "aa");
    wci_network_records_free(list, count);
}
END_TEST

START_TEST(endpoints_keep_their_order_and_go_with_their_container)
{
    wci_endpoint_record *list = NULL;
    size_t count = 0;
    insert_network("n1", "one", "");
    insert_network("n2", "two", "");
    insert_container("c1", "box", NULL);
    ok(wci_endpoint_insert(store, "c1", "n2", "{}", &error));
    ok(wci_endpoint_insert(store, "c1", "n1", "{\"a\":1}", &error));
    fails(WC_E_EXISTS, wci_endpoint_insert(store, "c1", "n1", "{}", &error));
    fails(WC_E_NOT_FOUND, wci_endpoint_insert(store, "c1", "n3", "{}", &error));
    ok(wci_endpoint_list(store, "c1", NULL, &list, &count, &error));
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(list[0].network, "n2");
    ck_assert_str_eq(list[1].config, "{\"a\":1}");
    ck_assert(!list[0].is_live);
    wci_endpoints_free(list, count);
    begin_run("c1");
    fails(WC_E_IN_USE, wci_network_delete(store, "n1", &error));
    ok(wci_endpoint_delete(store, "c1", "n1", &error));
    fails(WC_E_NOT_FOUND, wci_endpoint_delete(store, "c1", "n1", &error));
    ok(wci_network_delete(store, "n1", &error));
    ok(wci_container_delete(store, "c1", &error));
    list = NULL, count = 0;
    ok(wci_endpoint_list(store, NULL, "n2", &list, &count, &error));
    ck_assert_uint_eq(count, 0);
    wci_endpoints_free(list, count);
}
END_TEST

START_TEST(a_lease_lasts_as_long_as_its_run)
{
    insert_network("n1", "one", "");
    insert_container("c1", "first", NULL);
    insert_container("c2", "second", NULL);
    int64_t first = begin_run("c1"), second = begin_run("c2");
    ok(lease("n1", "10.0.0.2", "c1", first));
    fails(WC_E_IN_USE, lease("n1", "10.0.0.2", "c2", second));
    ck_assert_uint_eq(leases_of("n1"), 1);
    end_run("c1"); /* nobody gives it back by name */
    ok(lease("n1", "10.0.0.2", "c2", second));
    int64_t later = begin_run("c1");
    fails(WC_E_IN_USE, lease("n1", "10.0.0.2", "c1", later));
    begin_run("c2"); /* another run: what the former had is free */
    ck_assert_uint_eq(leases_of("n1"), 0);
}
END_TEST

START_TEST(ports_exclude_each_other_by_address)
{
    static char tcp[] = "tcp", udp[] = "udp", all[] = "", one[] = "10.0.0.1", two[] = "10.0.0.2";
    static const struct {
        char *protocol, *ip;
        int32_t rc;
    } steps[] = {{tcp, one, WC_OK}, {tcp, two, WC_OK}, {tcp, one, WC_E_IN_USE}, {tcp, all, WC_E_IN_USE},
                 {udp, all, WC_OK}, {udp, one, WC_E_IN_USE}};
    wci_port_record *list = NULL;
    size_t count = 0;
    insert_container("c1", "first", NULL);
    int64_t generation = begin_run("c1");
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        wci_port_record port = {steps[i].protocol, steps[i].ip, 80, 8080};
        ok(wci_leases_begin(&call, store, &error));
        int32_t rc = wci_leases_end(store, wci_port_add(store, &port, "c1", generation, &error), &error);
        ck_assert_int_eq(rc, steps[i].rc);
        wci_err_clear(&error);
    }
    ok(wci_port_list(store, "c1", &list, &count, &error));
    ck_assert_uint_eq(count, 3);
    ck_assert_int_eq(list[0].container_port, 8080);
    wci_ports_free(list, count);
    end_run("c1");
    list = NULL, count = 0;
    ok(wci_port_list(store, "c1", &list, &count, &error));
    ck_assert_uint_eq(count, 0);
    wci_ports_free(list, count);
}
END_TEST

/* ---- Many processes ------------------------------------------------------------------------------- */

/* Who uses an address, for all to see: 0, or the number of a worker from 1 on. */
typedef struct board {
    _Atomic int users[ADDRESSES + 3];
    _Atomic int twice, rounds, full;
} board;

static board *open_board(const char *base)
{
    char path[300];
    snprintf(path, sizeof path, "%s/board", base);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    ok(fd < 0 || ftruncate(fd, sizeof(board)) ? WC_E_IO : WC_OK);
    board *b = mmap(NULL, sizeof *b, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ok(b == MAP_FAILED ? WC_E_IO : WC_OK);
    close(fd);
    return b;
}

/* As starting containers do; *index of the address within the subnet, or -1 when all are taken. */
static int32_t take(const wci_network_subnet *subnet, const char *id, int64_t generation, int *index)
{
    wci_strv taken = WCI_STRV_INIT;
    char text[WCI_ADDRESS_SIZE];
    wci_ip ip;
    *index = -1;
    int32_t rc = wci_leases_begin(&call, store, &error);
    if (rc)
        return rc;
    rc = wci_lease_taken(store, "n1", &taken, &error);
    if (!rc)
        rc = wci_network_choose_address(subnet, &taken, &ip, &error);
    if (!rc) {
        wci_address_format(&ip, text);
        rc = wci_lease_add(store, "n1", text, id, generation, 0, &error);
        *index = rc ? -1 : ip.bytes[3];
    }
    wci_strv_free(&taken);
    rc = wci_leases_end(store, rc, &error);
    if (rc == WC_E_LIMIT) {
        wci_err_clear(&error);
        return WC_OK;
    }
    return rc;
}

static void worker_round(board *b, const wci_network_subnet *subnet, const char *id, int number)
{
    int index, none = 0, own = number;
    int64_t generation = begin_run(id);
    ok(take(subnet, id, generation, &index));
    if (index >= 0) {
        if (!atomic_compare_exchange_strong(&b->users[index], &none, number))
            atomic_fetch_add(&b->twice, 1);
        usleep(500);
        if (!atomic_compare_exchange_strong(&b->users[index], &own, 0))
            atomic_fetch_add(&b->twice, 1);
    } else {
        atomic_fetch_add(&b->full, 1);
    }
    end_run(id);
    atomic_fetch_add(&b->rounds, 1);
}

static void subnet_of_test(wci_network_subnet *out)
{
    memset(out, 0, sizeof *out);
    ok(wci_subnet_parse("10.0.0.0/29", &out->subnet) ? WC_OK : WC_E_FORMAT); /* six for hosts */
}

_Noreturn static void worker_main(const char *base, int number)
{
    char id[16];
    wci_network_subnet subnet;
    is_worker = 1;
    fixture_paths(base);
    ok(wci_store_open(&call, fixture_root, fixture_run, 0, &store, &error));
    board *b = open_board(base);
    subnet_of_test(&subnet);
    snprintf(id, sizeof id, "c%d", number);
    for (;;)
        worker_round(b, &subnet, id, number);
}

static pid_t start_worker(int number)
{
    char text[16];
    snprintf(text, sizeof text, "%d", number);
    pid_t pid = fork();
    if (pid == 0) {
        execl("/proc/self/exe", "store_network_test", "worker", fixture_base, text, (char *)NULL);
        _exit(127);
    }
    return pid;
}

/* As whoever finds a container whose monitor was killed: what it was at is over, and then the store hears of it. */
static void bury(board *b, pid_t pid, int number)
{
    char id[16];
    int status;
    kill(pid, SIGKILL);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(WIFSIGNALED(status), "worker %d ended by itself: %d", number, status);
    for (int i = 0; i < ADDRESSES + 2; i++) {
        int own = number;
        atomic_compare_exchange_strong(&b->users[i], &own, 0);
    }
    snprintf(id, sizeof id, "c%d", number);
    end_run(id);
}

START_TEST(no_two_processes_have_an_address)
{
    pid_t pids[WORKERS];
    board *b = open_board(fixture_base);
    insert_network("n1", "one", "");
    for (int i = 0; i < WORKERS; i++) {
        char id[16];
        snprintf(id, sizeof id, "c%d", i + 1);
        insert_container(id, id, NULL);
        pids[i] = start_worker(i + 1);
    }
    for (int kills = 0; kills < 60; kills++) {
        usleep(20000 + 997 * (kills % 31));
        bury(b, pids[kills % WORKERS], kills % WORKERS + 1);
        pids[kills % WORKERS] = start_worker(kills % WORKERS + 1);
    }
    for (int i = 0; i < WORKERS; i++)
        bury(b, pids[i], i + 1);
    ck_assert_int_eq(atomic_load(&b->twice), 0);
    ck_assert_int_gt(atomic_load(&b->rounds), 100);
    ck_assert_uint_eq(leases_of("n1"), 0); /* none is lost */
    munmap(b, sizeof *b);
}
END_TEST

int main(int argc, char **argv)
{
    if (argc == 4 && !strcmp(argv[1], "worker"))
        worker_main(argv[2], atoi(argv[3]));
    Suite *suite = suite_create("store_network");
    TCase *tcase = tcase_create("network");
    tcase_set_timeout(tcase, 100);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, networks_are_found_as_containers_are);
    tcase_add_test(tcase, endpoints_keep_their_order_and_go_with_their_container);
    tcase_add_test(tcase, a_lease_lasts_as_long_as_its_run);
    tcase_add_test(tcase, ports_exclude_each_other_by_address);
    tcase_add_test(tcase, no_two_processes_have_an_address);
    suite_add_tcase(suite, tcase);
    return run_tests(suite);
}
