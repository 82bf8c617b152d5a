/* SPDX-License-Identifier: Apache-2.0 */
/* wcctl: the command line of libwincontainer, on its public headers alone. */
#ifndef WCCTL_H
#define WCCTL_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>
#include <wincontainer/backend.h>
#include <wincontainer/wincontainer.h>

#define countof(array) (sizeof(array) / sizeof(*(array)))

/* Exit codes of `docker run`. */
enum {
    EXIT_OURS = 125,
    EXIT_NOT_EXECUTABLE = 126,
    EXIT_COMMAND_NOT_FOUND = 127,
    EXIT_BROKEN_PIPE = 141, /* as a shell tells of SIGPIPE */
};

/* ---- options.c: command lines ----------------------------------------------------------------- */

typedef struct text_list {
    const char **items;
    size_t count;
} text_list;

typedef enum option_kind {
    OPTION_FLAG,  /* int */
    OPTION_TEXT,  /* const char *, which "" is not */
    OPTION_MAYBE, /* const char *, and "" means something, as in Docker: mostly that the option was not given */
    OPTION_JOIN,  /* the same, and what is given again comes behind a comma */
    OPTION_LIST,  /* text_list, of which "" is no item */
    OPTION_WORDS, /* text_list, and "" means that it was not given */
} option_kind;

typedef struct option {
    char letter;      /* 0: none */
    const char *name; /* without dashes */
    option_kind kind;
    const char *arg; /* what help calls the value */
    const char *help;
    void *target;
} option;

/* Reads the options in argv[0..argc) and leaves the rest in it; returns its count. With `stop`,
 * options end at the first argument that is none (they belong to a command in a container then).
 * `usage` names the arguments, of which none may be empty but what belongs to such a command.
 * Ends the program with exit code 125 when something is off, 0 after --help. */
int options_read(const char *name, const char *usage, const char *about, const option *options,
                 size_t count, int stop, int argc, char **argv);
/* For a command without arguments: the same, and anything but options ends the program. */
void options_read_all(const char *name, const char *about, const option *options, size_t count, int argc, char **argv);
void list_add(text_list *list, const char *item);
void *xrealloc(void *ptr, size_t size); /* ends the program when memory is out */
char *xstrdup(const char *s);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* ---- complete.c: what may come next, for the shells ------------------------------------------------------- */

typedef struct command command;
/* Each prints what the word may be that is being completed, and ends the program. */
_Noreturn void complete_option(const option *options, size_t count, const char *word);
/* `before` is what stands before the value in the word: "--name=", or nothing. */
_Noreturn void complete_value(const option *of, const char *before, const char *value);
/* `what` is the word of the usage line. */
_Noreturn void complete_argument(const char *what, const char *word);
_Noreturn void complete_command(const command *const *tables, size_t count, const char *word);

/* ---- values.c: words of Docker's command line ---------------------------------------------------- */

/* Cuts "a=b" (or another separator) into *name, to be freed, and *value, NULL when there is none. */
void cut_text(const char *text, char separator, char **name, const char **value);
/* The same for the value of the option `what`, which must be KEY=VALUE. */
void cut_pair(const char *what, const char *text, char **key, const char **value);
int64_t value_bytes(const char *what, const char *text);      /* 64m, 1.5g, plain bytes */
int64_t value_number(const char *what, const char *text);
int64_t value_duration_ns(const char *what, const char *text); /* 1m30s */
char *value_restart(const char *text, int64_t *max);             /* on-failure:3; the policy, owned */
int64_t value_nano_cpus(const char *what, const char *text);  /* 1.5 */
int64_t value_seconds_ns(const char *what, const char *text); /* 10, 2.5, -1: without end */
int64_t value_time_ns(const char *what, const char *text);    /* RFC 3339, Unix seconds, 10m ago */
void format_bytes(double bytes, char out[32]);                  /* 12.3MB, as Docker */
void format_ago(int64_t time_ns, char out[64]);                 /* 5 minutes ago */
void format_time(int64_t time_ns, char out[64]);                /* RFC 3339, nanoseconds */
const char *short_id(const char *digest_or_id, char out[16]);   /* 12 hex digits */
const char *familiar_name(const char *name);                    /* without docker.io/library/ */

/* ---- app.c: the state of one invocation ---------------------------------------------------------- */

typedef struct app {
    const char *root, *run_root, *backend, *runtime, *helper, *cgroup_manager, *network_helper;
    const char *progress, *log_level, *limit_rate;
    text_list plugins;
    int json;
    int completing; /* for a shell: the last argument is the word that it completes */
    wc_context *context;
    wc_cancel *cancel; /* triggered by SIGINT and SIGTERM unless a container gets them */
} app;

extern app wcctl;

wc_context *app_context(void); /* opens it on first use */
/* Prints the error on one line and ends with the right exit code. */
_Noreturn void die(int32_t code, wc_error *err);
_Noreturn void die_usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
#define TRY(call)                                                                                \
    do {                                                                                         \
        int32_t try_code_ = (call);                                                              \
        if (try_code_ != WC_OK)                                                                  \
            die(try_code_, err);                                                                 \
    } while (0)
/* Prints the error and goes on; returns the exit code to end with. */
int complain(wc_error *err);
int exit_code_of(int32_t code);

/* ---- output.c ------------------------------------------------------------------------------------ */

typedef struct table table;
table *table_new(const char *const *headings, size_t columns);
void table_row(table *t, const char *const *cells);
void table_print(const table *t);
void table_free(table *t);
/* Prints JSON text, indented, with a line end. */
void print_json(const char *json, size_t size);
/* For --json. A text whose bytes are not UTF-8 has U+FFFD in their place, as in Docker. */
json_t *json_text(const char *text);
json_t *json_bytes(const void *data, size_t size);
json_t *json_list(const wc_list *texts);
json_t *json_image(wc_image *image);
json_t *json_pairs_text(json_t *object); /* "KEY=VALUE,KEY=VALUE" */
/* Both take the value over and print it with a line end: on one line; or a list, one item on each. */
void print_object(json_t *object);
void print_array(json_t *array);
/* An object of texts: key, value, … NULL. */
void print_texts(const char *key, ...) __attribute__((sentinel));
/* Writes all or ends the program quietly when nobody reads. */
void write_all(int fd, const void *data, size_t size);

/* ---- format.c: --format ------------------------------------------------------------------------------- */

/* What a template makes of a row; owned. Ends the program where there is no such field. */
char *format_row(const char *template, json_t *row);
/* One line; "json" prints the row itself. */
void format_line(const char *format, json_t *row);
/* The rows, an array, in a table when the format begins with "table ". NULL, "" and "table": as `fallback` says.
 * `headings`, an object, has one for each field. Takes both over. */
void format_rows(const char *format, const char *fallback, json_t *headings, json_t *rows);
/* What inspect found, an array, which is taken over: all as JSON, or each by a line of the template. */
void format_found(const char *format, json_t *found);
#define FORMAT_OPTION(text) {'f', "format", OPTION_MAYBE, "TEMPLATE", "json, or what {{.Field}} says", &(text)}

/* ---- progress.c ---------------------------------------------------------------------------------- */

typedef struct progress progress;
void progress_check(void); /* refuses a --progress that there is not, whatever the command does */
progress *progress_new(int quiet);
int32_t progress_report(const wc_progress *report, uintptr_t payload);
const char *progress_last_done(const progress *p); /* a digest, or "" */
void progress_end(progress *p); /* and frees it */

/* ---- prompt.c ------------------------------------------------------------------------------------ */

/* A line from the terminal, owned; the program ends when there is none. */
char *ask_user(const char *question, int hidden);
void wipe(char *secret); /* overwrites and frees it; NULL accepted */

/* ---- transfer.c: options that pull, push, load, save, copy and run share ------------------------------- */

typedef struct transfer {
    const char *platform, *isolation, *creds, *target_creds, *tls_verify, *ca_file, *cert_dir, *target_cert_dir, *auth_file;
    const char *policy, *verify_key, *sign_key, *sign_passphrase_file, *sign_identity;
    int quiet, makes_auth_file, takes_index, all, referrers, no_referrers, drop_blobs, nondistributable;
    wc_transfer_options *options;
    progress *progress;
} transfer;
#define TRANSFER_OPTIONS(t)                                                                      \
    {0, "platform", OPTION_JOIN, "OS/ARCH[/VARIANT][:VERSION]", "choose this platform", &(t).platform}, \
    {0, "isolation", OPTION_MAYBE, "process|hyperv", "what it is to run with, builds of Windows depend on it", \
     &(t).isolation},                                                                            \
    REGISTRY_OPTIONS(t)
/* How to get at a registry, whatever is wanted there. */
#define REGISTRY_OPTIONS(t)                                                                      \
    {0, "tls-verify", OPTION_TEXT, "true|false", "false accepts any certificate and plain HTTP", \
     &(t).tls_verify},                                                                           \
    {0, "creds", OPTION_TEXT, "USER:PASSWORD", "credentials for the registry", &(t).creds},      \
    {0, "ca-file", OPTION_TEXT, "FILE", "further CA certificates (PEM)", &(t).ca_file},          \
    {0, "cert-dir", OPTION_TEXT, "DIR", "certificates: *.crt of CAs, our *.cert and *.key", &(t).cert_dir}, \
    {0, "authfile", OPTION_TEXT, "FILE", "credentials file", &(t).auth_file},                    \
    {0, "limit-rate", OPTION_TEXT, "SIZE", "bytes a second for all transfers together",          \
     &wcctl.limit_rate}
/* For commands that move indexes, too (takes_index is 1). --platform may name several then. */
#define INDEX_OPTIONS(t)                                                                         \
    {0, "all", OPTION_FLAG, NULL, "the whole index; with --platform A,B for these", &(t).all},            \
    {0, "referrers", OPTION_FLAG, NULL, "signatures and whatever else refers to it, too", &(t).referrers}
/* For what goes out, which takes them along unless it is told not to. */
#define LEAVE_OPTION(t)                                                                          \
    {0, "no-referrers", OPTION_FLAG, NULL, "leave behind what refers to it", &(t).no_referrers}
#define FOREIGN_OPTION(t)                                                                        \
    {0, "allow-nondistributable-artifacts", OPTION_FLAG, NULL, "send layers that may not be distributed, too",  \
     &(t).nondistributable}
/* For what comes in, and for what goes to a registry. */
#define POLICY_OPTIONS(t)                                                                        \
    {0, "signature-policy", OPTION_TEXT, "FILE", "policy.json that says what must be signed", &(t).policy}, \
    {0, "verify-key", OPTION_TEXT, "FILE", "public key that must have signed it, instead of a policy",      \
     &(t).verify_key}
#define SIGN_OPTIONS(t)                                                                          \
    {0, "sign-by-sigstore-private-key", OPTION_TEXT, "FILE", "sign it with this key, in cosign's form",     \
     &(t).sign_key},                                                                             \
    {0, "sign-passphrase-file", OPTION_TEXT, "FILE", "passphrase of that key", &(t).sign_passphrase_file},  \
    {0, "sign-identity", OPTION_TEXT, "NAME", "name to sign instead of the target's", &(t).sign_identity}
/* Overwrites a secret of the command line, which everybody on the machine may read as long as we run. */
void hide_argument(const char *secret);
void transfer_begin(transfer *t);
void transfer_end(transfer *t);
/* Pulls with a bar and gives the image the name that the source says. */
wc_image *transfer_pull(transfer *t, const char *source);
/* What the store has under this name for the platform of the options. */
int32_t transfer_choose(transfer *t, const char *name, wc_image **out, wc_error **err);

/* ---- env_file.c ---------------------------------------------------------------------------------- */

/* Adds a text for each line that says something. Ends the program when the file cannot be read. */
void env_file_read(const char *path, text_list *out);

/* ---- pipes.c ------------------------------------------------------------------------------------- */

/* A path of what comes at standard input. */
const char *input_as_file(void);
/* A path for what is to go to standard output, and when it is written, its going there. */
const char *passing_file(void);
void pass_to_output(void);

/* ---- detach_keys.c ------------------------------------------------------------------------------- */

#define DETACH_KEYS_MAX 16
typedef struct detach_keys {
    unsigned char keys[DETACH_KEYS_MAX];
    size_t count; /* 0: there is no way out */
    size_t seen;  /* so many have come, and wait for the next */
} detach_keys;
#define SIG_PROXY_OPTION(flag) {0, "sig-proxy", OPTION_FLAG, NULL, "pass signals on to it, the default; =false: do not", &(flag)}
#define DETACH_KEYS_OPTION(text)                                                                 \
    {0, "detach-keys", OPTION_MAYBE, "KEYS", "what lets go of its terminal, default ctrl-p,ctrl-q", &(text)}
/* NULL: the default. Ends the program when the text is wrong. */
detach_keys detach_keys_parse(const char *text);
/* Takes the sequence out of the input; `out` has room for size + DETACH_KEYS_MAX. 1 when it was whole: what follows
 * is dropped. */
int detach_keys_filter(detach_keys *keys, const char *data, size_t size, char *out, size_t *out_size);

/* ---- cmd_signature.c ----------------------------------------------------------------------------- */

/* Sets what POLICY_OPTIONS and SIGN_OPTIONS have read. */
void signature_begin(const transfer *t);

/* ---- attach.c ------------------------------------------------------------------------------------ */

/* As Docker: whoever reads us slowly holds the container back, and loses nothing. */
#define ATTACH_OUTPUT (WC_ATTACH_STDOUT | WC_ATTACH_STDERR | WC_ATTACH_WAIT)

/* What to join our standard streams to. */
typedef struct attachment {
    wc_stream *stream; /* taken over */
    wc_container *container;
    wc_process *process;    /* one of a container's further processes, else NULL */
    int32_t until;          /* WC_WAIT_* of the container */
    int with_stdin, tty;
    detach_keys keys;       /* heeded with standard input and a terminal */
    int keeps_signals;      /* they are for us, not for it */
} attachment;
/* Copies both ways until the container closes its streams, waits for its end, and gives its exit code; 0 when the
 * user detached. Signals go to it meanwhile. */
int attach_run(const attachment *attachment);
/* Whether it was made with a terminal. */
int container_has_tty(wc_container *container);
/* 1 with the size of the terminal on standard output, if there is one that knows it. */
int terminal_size(uint32_t *columns, uint32_t *rows);
/* SIGINT and SIGTERM end the running call, until attach_run() forwards them. */
void signals_prepare(void);

/* ---- commands ------------------------------------------------------------------------------------ */

struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
};
int group_stats(int argc, char **argv); /* cmd_group.c: of the groups that are named */
int logs_command(int argc, char **argv);
int ps_command(int argc, char **argv);
int inspect_command(int argc, char **argv); /* cmd_inspect.c */
int inspect_container(int argc, char **argv);
int inspect_image(int argc, char **argv);
int cp_command(int argc, char **argv);
char *ports_text(const wc_container_info *info); /* 0.0.0.0:8080->80/tcp, owned */
wc_container *open_container(const char *name); /* or ends the program */
int export_command(int argc, char **argv);
int images_command(int argc, char **argv); /* cmd_images.c */
int history_command(int argc, char **argv); /* cmd_history.c */
int tree_command(int argc, char **argv);
int artifact(int argc, char **argv); /* cmd_artifact.c */
int manifest_create(int argc, char **argv); /* cmd_index.c */
int mount_command(int argc, char **argv);   /* cmd_mount.c */
int unmount_command(int argc, char **argv);
int unpack_command(int argc, char **argv); /* cmd_unpack.c */
int pack_command(int argc, char **argv);
int diff_images(const char *from, const char *to);
extern const command image_commands[], edit_commands[], registry_commands[], signature_commands[],
    container_commands[], life_commands[], group_commands[], volume_commands[], network_commands[], watch_commands[], kind_commands[],
    system_commands[];
const command *app_command(const char *name); /* of all tables */
const command *command_find(const command *commands, const char *name);
/* Runs what argv[0] names in the table, or prints the table. */
int subcommand(const char *name, const command *commands, int argc, char **argv);

#endif
