/* SPDX-License-Identifier: Apache-2.0 */
/* kill -9 at random instants and system calls while processes work on one store. After each round
 * the store must be clean without repair, have everything that was reported done, and lose the rest
 * by a prune.
 *
 *   store_crash_test [ROUNDS [SEED]] */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/str.h"
#include "platform/file.h"
#include "platform/host.h"
#include "store/internal.h"
#include "store_model.h"

#define WORKERS 2
#define SLOTS 5

static wci_store *store;
static wc_error *why; /* of the last call that failed */
static wc_call call;
static char base[200], root[220], run_root[220];
static uint64_t dice;

static uint32_t roll(uint32_t sides)
{
    dice = dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(dice >> 33) % sides;
}

static const char *subject = ""; /* what the judge looks at */

static void die(const char *what)
{
    fprintf(stderr, "FAILED: %s: %s %s\n", what, subject, why ? wc_error_message(why) : "");
    exit(3);
}

static void must(int32_t rc, const char *what)
{
    if (rc)
        die(what);
}

/* ---- The victims ------------------------------------------------------------------------------
 */

static int number; /* of this victim */

static void report(char state, const char *kind, const char *name, int value)
{
    char line[80];
    int size = snprintf(line, sizeof line, "%c %s %s %d\n", state, kind, name, value);
    if (write(1, line, (size_t)size) != size)
        _exit(4);
}

static wci_digest digest_of(const void *data, size_t size)
{
    wci_digest digest;
    must(wci_digest_of(WCI_SHA256, data, size, &digest, &why), "digest");
    return digest;
}

static wci_digest put_text(wci_hold *hold, const char *text)
{
    wci_digest digest = digest_of(text, strlen(text));
    must(wci_blob_put(&call, hold, &digest, text, strlen(text), &why), "put");
    return digest;
}

/* Layers are shared between the victims; they come in by small writes, and may be resumed. */
static wci_digest bring_layer(wci_hold *hold, char letter, uint64_t *size)
{
    static char bytes[60000];
    const size_t piece = 6000;
    memset(bytes, letter, sizeof bytes);
    wci_digest digest = digest_of(bytes, sizeof bytes);
    wci_ingest *in = NULL;
    must(wci_ingest_begin(&call, hold, &digest, sizeof bytes, &in, &why), "ingest");
    if (in) {
        for (size_t at = wci_ingest_offset(in); at < sizeof bytes;) {
            size_t left = sizeof bytes - at, now = left < piece ? left : piece;
            must(wci_ingest_write(in, bytes + at, now, &why), "write");
            at += now;
        }
        must(wci_ingest_commit(in, &why), "commit");
        wci_ingest_unref(in);
    }
    *size = sizeof bytes;
    return digest;
}

static wci_staging *make_tree(wci_hold *hold, wci_tree_kind kind, const wci_digest *key,
                              int is_empty)
{
    wci_staging *staging = NULL;
    must(wci_staging_begin(&call, hold, kind, key, &staging, &why), "staging");
    if (!staging)
        return NULL;
    for (int i = 0; i < 8 && !is_empty; i++) {
        char path[400];
        snprintf(path, sizeof path, "%s/fs/d%d/e", wci_staging_dir(staging), i);
        must(wci_dir_make(path, 0755, &why), "tree");
    }
    must(wci_staging_commit(staging, 10, 17, is_empty, &why), "commit tree");
    return staging;
}

static wci_image_record *find_image(const char *name)
{
    wci_image_record *record = NULL;
    int32_t rc = wci_image_find(store, name, &record, &why);
    if (rc && rc != WC_E_NOT_FOUND)
        die("find image");
    wci_err_clear(&why);
    return record;
}

static void name_of(char out[32], const char *kind, uint32_t slot)
{
    snprintf(out, 32, "%s%d-%u", kind, number, (unsigned)slot);
}

static void fill_layers(wci_hold *hold, wci_image_record *record, uint32_t slot,
                        wci_staging **stagings)
{
    wci_digest chain = {""};
    for (size_t i = 0; i < record->layer_count; i++) {
        char diff[8], letter = (char)('a' + (slot * 2 + i * (slot + 1)) % 7);
        wci_layer_record *layer = &record->layers[i];
        snprintf(diff, sizeof diff, "diff %c", letter);
        layer->digest = bring_layer(hold, letter, &layer->size);
        layer->diff_id = digest_of(diff, strlen(diff));
        must(wci_digest_chain(&chain, &layer->diff_id, &why), "chain");
        layer->chain_id = chain;
        stagings[2 * i] = make_tree(hold, WCI_TREE_LAYER, &layer->diff_id, 0);
        stagings[2 * i + 1] = make_tree(hold, WCI_TREE_LINKS, &layer->chain_id, i % 2 == 0);
    }
}

static void pull(uint32_t slot)
{
    char name[32], text[64];
    wci_hold *hold = NULL;
    wci_layer_record layers[3] = {{.size = 0}};
    wci_staging *stagings[6] = {NULL};
    char *names[2] = {name, NULL};
    wci_image_record record = {
        .layers = layers, .layer_count = 3, .names = {.items = names, .count = 1}};
    name_of(name, "img", slot);
    must(wci_hold_new(store, &hold, &why), "hold");
    snprintf(text, sizeof text, "config of %s", name);
    record.config = put_text(hold, text);
    snprintf(text, sizeof text, "manifest of %s", name);
    record.manifest = put_text(hold, text);
    fill_layers(hold, &record, slot, stagings);
    wci_image_record *known = find_image(name);
    if (!known) {
        report('?', "image", name, 0);
        report('?', "name", name, 0);
    }
    wci_image_record_free(known);
    must(wci_image_publish(&call, store, &record, "pull", stagings, 6, &why), "publish");
    report('+', "image", name, 0);
    report('+', "name", name, 0);
    wci_hold_free(hold);
}

/* Every name that it has goes with the image. */
static void report_image(char state, const char *name, const wci_image_record *record)
{
    report(state, "image", name, 0);
    for (size_t i = 0; i < record->names.count; i++)
        report(state, "name", record->names.items[i], 0);
}

static void remove_image(uint32_t slot)
{
    char name[32];
    name_of(name, "img", slot);
    wci_image_record *record = find_image(name);
    if (!record)
        return;
    report_image('?', name, record);
    int32_t rc = wci_image_remove(&call, store, &record->manifest, 0, NULL, &why);
    if (rc == WC_E_IN_USE)
        wci_err_clear(&why);
    else
        must(rc, "remove image");
    report_image(rc ? '+' : '-', name, record);
    wci_image_record_free(record);
}

static void tag(uint32_t slot)
{
    char name[32], alias[40];
    name_of(name, "img", slot);
    snprintf(alias, sizeof alias, "%s-alias", name);
    wci_image_record *record = find_image(name);
    if (!record)
        return;
    report('?', "name", alias, 0);
    if (!wci_strv_contains(&record->names, alias)) {
        must(wci_image_tag(store, &record->manifest, NULL, alias, &why), "tag");
        report('+', "name", alias, 0);
    } else {
        must(wci_image_untag(store, alias, &why), "untag");
        report('-', "name", alias, 0);
    }
    wci_image_record_free(record);
}

static void create(uint32_t slot)
{
    char name[32], image[32];
    name_of(name, "ctr", slot);
    name_of(image, "img", roll(SLOTS));
    wci_container_record record = {.name = name, .image_name = image, .created_ns = 1};
    wci_image_record *found = find_image(image);
    if (!found)
        return;
    record.image = found->manifest;
    wci_image_record_free(found);
    must(wci_random_hex(32, record.id, &why), "id");
    wci_container_record *known = NULL;
    if (wci_container_find(store, name, &known, NULL) == WC_OK) {
        wci_container_record_free(known);
        return;
    }
    report('?', "container", name, 0);
    must(wci_container_insert(store, &record, &why), "create");
    report('+', "container", name, 0);
}

static void run(uint32_t slot)
{
    char name[32];
    int code = (int)roll(200);
    wci_container_record *record = NULL;
    name_of(name, "ctr", slot);
    if (wci_container_find(store, name, &record, NULL))
        return;
    if (record->status == WCI_STATUS_REMOVING) {
        wci_container_record_free(record);
        return;
    }
    wci_container_change change = {.from = ~0u,
                                   .generation = -1,
                                   .status = WCI_STATUS_STARTING,
                                   .bump_generation = 1,
                                   .action = "start"};
    report('?', "exit", name, 0);
    must(wci_container_update(store, record->id, &change, &why), "start");
    change.status = WCI_STATUS_RUNNING;
    change.bump_generation = 0;
    change.pid = 5;
    change.started_ns = 7;
    must(wci_container_update(store, record->id, &change, &why), "running");
    change.status = WCI_STATUS_EXITED;
    change.pid = 0;
    change.finished_ns = 9;
    change.exit_code = code;
    change.action = "die";
    must(wci_container_update(store, record->id, &change, &why), "exit");
    report('+', "exit", name, code);
    wci_container_record_free(record);
}

static void remove_container(uint32_t slot)
{
    char name[32];
    wci_container_record *record = NULL;
    name_of(name, "ctr", slot);
    if (wci_container_find(store, name, &record, NULL))
        return;
    wci_container_change change = {.from = ~0u, .generation = -1, .status = WCI_STATUS_REMOVING};
    report('?', "container", name, 0);
    report('?', "exit", name, 0);
    must(wci_container_update(store, record->id, &change, &why), "removing");
    char *dir = wci_container_dir(store, record->id);
    must(wci_dir_remove_all(dir, &why), "remove directory");
    must(wci_container_delete(store, record->id, &why), "delete");
    report('-', "container", name, 0);
    wci_free(dir);
    wci_container_record_free(record);
}

static void expect_clean(void)
{
    wci_strv findings = WCI_STRV_INIT;
    must(wci_store_check(&call, store, 0, &findings, &why), "check");
    for (size_t i = 0; i < findings.count; i++)
        fprintf(stderr, "finding: %s\n", findings.items[i]);
    if (findings.count)
        exit(5);
    wci_strv_free(&findings);
}

static void one_operation(void)
{
    uint32_t slot = roll(SLOTS), what = roll(100);
    if (what < 35)
        pull(slot);
    else if (what < 50)
        remove_image(slot);
    else if (what < 58)
        tag(slot);
    else if (what < 68)
        create(slot);
    else if (what < 78)
        run(slot);
    else if (what < 86)
        remove_container(slot);
    else if (what < 94)
        must(wci_store_prune(&call, store, roll(2) ? WCI_PRUNE_PARTIAL : 0, NULL, NULL, &why),
             "prune");
    else
        expect_clean();
}

static int victim(const char *who, const char *seed)
{
    number = atoi(who);
    dice = strtoull(seed, NULL, 10);
    must(wci_store_open(&call, root, run_root, 0, &store, &why), "open");
    for (;;)
        one_operation();
    return 0;
}

/* ---- The judge --------------------------------------------------------------------------------
 */

static void judge_image(const char *name, char state)
{
    wci_image_record *record = find_image(name);
    if (state == '-' && record)
        die("an image that was removed is there");
    if (state == '+' && !record)
        die("an image that was published is lost");
    for (size_t i = 0; record && i < record->layer_count; i++) {
        const wci_layer_record *layer = &record->layers[i];
        uint64_t size;
        char *path = NULL;
        must(wci_blob_stat(store, &layer->digest, &size, &why), "blob of an image");
        must(wci_tree_path(store, WCI_TREE_LAYER, &layer->diff_id, &path, &why), "tree");
        wci_free(path);
        path = NULL;
        must(wci_tree_path(store, WCI_TREE_LINKS, &layer->chain_id, &path, &why), "links");
        wci_free(path);
    }
    wci_image_record_free(record);
}

static void judge_container(const char *name, char state)
{
    wci_container_record *record = NULL;
    int there = wci_container_find(store, name, &record, NULL) == WC_OK;
    wci_container_record_free(record);
    if (state == '-' && there)
        die("a container that was removed is there");
    if (state == '+' && !there)
        die("a container that was created is lost");
}

static void judge_exit(const char *name, char state, int code)
{
    wci_container_record *record = NULL;
    if (state != '+')
        return;
    must(wci_container_find(store, name, &record, &why), "container that has run");
    if (record->status != WCI_STATUS_EXITED || record->exit_code != code)
        die("an exit code that was reported is lost");
    wci_container_record_free(record);
}

static void judge(const model *m)
{
    for (size_t i = 0; i < m->count; i++) {
        const model_entry *e = &m->entries[i];
        subject = e->name;
        if (wci_streq(e->kind, "image") || wci_streq(e->kind, "name"))
            judge_image(e->name, e->state);
        else if (wci_streq(e->kind, "container"))
            judge_container(e->name, e->state);
        else if (wci_streq(e->kind, "exit"))
            judge_exit(e->name, e->state, e->value);
    }
    subject = "";
}

static int count_in(const char *dir)
{
    wci_strv names = WCI_STRV_INIT;
    char *path = wci_path_join(root, dir);
    must(wci_dir_list(path, &names, &why), "list");
    int count = (int)names.count;
    wci_strv_free(&names);
    wci_free(path);
    return count;
}

static int rows(const char *sql)
{
    int64_t n = 0;
    must(wci_tx_begin(store, &call, WCI_TX_READ, &why), "begin");
    must(wci_tx_end(store, wci_db_get_int(store->db, sql, WCI_BIND_NONE, 0, &n, &why), &why),
         "count");
    return (int)n;
}

static void expect_count(const char *dir, int wanted)
{
    int found = count_in(dir);
    if (found != wanted) {
        fprintf(stderr, "FAILED: %d entries in %s/ instead of %d\n", found, dir, wanted);
        exit(3);
    }
}

/* After a prune only what is on the books is on the disk. */
static void judge_litter(void)
{
    wci_usage usage;
    must(wci_store_prune(&call, store, WCI_PRUNE_PARTIAL, NULL, NULL, &why), "prune");
    must(wci_store_usage(&call, store, &usage, NULL, &why), "usage");
    if (usage.litter_bytes)
        die("litter after a prune");
    expect_count("staging", 0);
    expect_count("holds", 0);
    expect_count("ingest", 0);
    expect_count("quarantine", 0);
    expect_count("hosts", 1);
    expect_count("blobs/sha256", rows("SELECT count(*) FROM blobs"));
    expect_count("trees", rows("SELECT count(*) FROM trees WHERE kind = 0"));
    expect_count("links", rows("SELECT count(*) FROM trees WHERE kind = 1 AND is_empty = 0"));
    int directories = count_in("containers"); /* of those being removed it may be gone */
    if (directories < rows("SELECT count(*) FROM containers WHERE status <> 5") ||
        directories > rows("SELECT count(*) FROM containers"))
        die("directories and records of containers differ");
}

/* ---- The rounds -------------------------------------------------------------------------------
 */

typedef struct worker {
    pid_t pid;
    int lines;
    int64_t end_ns;
    char text[1 << 20];
    size_t size;
} worker;

static void start_worker(worker *w, int who, int traced)
{
    int ends[2];
    char who_text[8], seed_text[24];
    snprintf(who_text, sizeof who_text, "%d", who);
    snprintf(seed_text, sizeof seed_text, "%llu", (unsigned long long)(dice + roll(1u << 30)));
    if (pipe(ends))
        die("pipe");
    w->pid = fork();
    if (w->pid == 0) {
        dup2(ends[1], 1);
        close(ends[0]);
        close(ends[1]);
        if (traced && ptrace(PTRACE_TRACEME, 0, NULL, NULL))
            _exit(126);
        execl("/proc/self/exe", "victim", "--victim", base, who_text, seed_text, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    w->lines = ends[0];
    w->size = 0;
}

/* Reads what is there, waiting at most so long for it. */
static void read_worker(worker *w, int wait_ms)
{
    struct pollfd item = {.fd = w->lines, .events = POLLIN};
    while (w->lines >= 0 && poll(&item, 1, wait_ms) > 0) {
        ssize_t got = read(w->lines, w->text + w->size, sizeof w->text - 1 - w->size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            close(w->lines);
            w->lines = -1;
            return;
        }
        w->size += (size_t)got;
        wait_ms = 0;
    }
}

static void finish_worker(worker *w, model *m)
{
    int status = 0;
    while (waitpid(w->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    while (w->lines >= 0)
        read_worker(w, 1000);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) {
        fprintf(stderr, "FAILED: a victim ended by itself, status %d\n", status);
        exit(3);
    }
    if (!w->size)
        return;
    FILE *lines = fmemopen(w->text, w->size, "r");
    model_read(m, lines);
    fclose(lines);
}

/* Two at once, each killed at a random time. */
static void kill_by_time(model *m)
{
    static worker workers[WORKERS];
    int alive = WORKERS;
    for (int i = 0; i < WORKERS; i++) {
        start_worker(&workers[i], i, 0);
        workers[i].end_ns = wci_monotonic_ns() + INT64_C(1000000) * (5 + roll(roll(4) ? 60 : 250));
    }
    while (alive) {
        int64_t now = wci_monotonic_ns();
        for (int i = 0; i < WORKERS; i++) {
            worker *w = &workers[i];
            if (w->end_ns && now >= w->end_ns) {
                kill(w->pid, SIGKILL);
                w->end_ns = 0;
                alive--;
            }
            read_worker(w, 0);
        }
        usleep(500);
    }
    for (int i = 0; i < WORKERS; i++)
        finish_worker(&workers[i], m);
}

/* One alone, killed before or after a random system call: between any two changes of the disk. */
static void kill_by_system_call(model *m)
{
    static worker w;
    int status = 0;
    uint32_t stops = roll(4000);
    start_worker(&w, (int)roll(WORKERS), 1);
    waitpid(w.pid, &status, 0);
    for (uint32_t i = 0; i < stops && WIFSTOPPED(status); i++) {
        if (ptrace(PTRACE_SYSCALL, w.pid, NULL, NULL))
            break;
        waitpid(w.pid, &status, 0);
        if (i % 64 == 0)
            read_worker(&w, 0);
    }
    if (!WIFSTOPPED(status)) {
        fprintf(stderr, "FAILED: a victim ended by itself, status %d\n", status);
        exit(3);
    }
    kill(w.pid, SIGKILL);
    finish_worker(&w, m);
}

static int tracing_works(void)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0)
        _exit(ptrace(PTRACE_TRACEME, 0, NULL, NULL) ? 1 : 0);
    waitpid(pid, &status, 0);
    return status == 0;
}

static void one_round(model *m, int traced)
{
    if (traced)
        kill_by_system_call(m);
    else
        kill_by_time(m);
    must(wci_store_open(&call, root, run_root, 0, &store, &why), "open after the kill");
    expect_clean();
    judge(m);
    judge_litter();
    expect_clean();
    judge(m);
    wci_store_unref(store);
    store = NULL;
}

static void paths(const char *dir)
{
    snprintf(base, sizeof base, "%s", dir);
    snprintf(root, sizeof root, "%s/root", base);
    snprintf(run_root, sizeof run_root, "%s/run", base);
}

/* Memory where there is some: more happens between two kills. */
static void make_base(void)
{
    const char *tmp = getenv("TMPDIR");
    char dir[150];
    snprintf(dir, sizeof dir, "%s/wc-crash-XXXXXX", tmp && *tmp ? tmp : "/dev/shm");
    if (!mkdtemp(dir)) {
        snprintf(dir, sizeof dir, "/tmp/wc-crash-XXXXXX");
        if (!mkdtemp(dir))
            die("temporary directory");
    }
    paths(dir);
}

int main(int argc, char **argv)
{
    static model m;
    if (argc == 5 && strcmp(argv[1], "--victim") == 0) {
        paths(argv[2]);
        return victim(argv[3], argv[4]);
    }
    int rounds = argc > 1 ? atoi(argv[1]) : 100;
    dice = argc > 2 ? strtoull(argv[2], NULL, 10) : (uint64_t)wci_now_ns();
    printf("%d rounds, seed %llu\n", rounds, (unsigned long long)dice);
    fflush(stdout);
    make_base();
    int can_trace = tracing_works();
    if (!can_trace)
        printf("no ptrace here: every round kills by time\n");
    for (int i = 0; i < rounds; i++)
        one_round(&m, can_trace && i % 2);
    must(wci_store_open(&call, root, run_root, 0, &store, &why), "open");
    int64_t events = 0;
    must(wci_event_last(store, &events, &why), "events");
    printf("clean after every round; %lld events, %d images, %d containers at the end\n",
           (long long)events, rows("SELECT count(*) FROM images"),
           rows("SELECT count(*) FROM containers"));
    wci_store_unref(store);
    must(wci_dir_remove_all(base, &why), "removing");
    return 0;
}
