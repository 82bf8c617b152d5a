/* SPDX-License-Identifier: Apache-2.0 */
#include "image/instruction.h"

#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "core/signal.h"
#include "image/edit_config.h"
#include "image/instruction_words.h"

#define MAX_PORT 65535

typedef struct instruction {
    json_t *config;
    const char *os;
    int has_cmd; /* a line has set it: an entrypoint does not take it away */
} instruction;

/* ---- Words ---------------------------------------------------------------------------------------- */

static int32_t expand_all(const instruction *in, wci_strv *words, wc_error **err)
{
    int32_t code = WC_OK;
    for (size_t i = 0; i < words->count && !code; i++) {
        char *text = NULL;
        code = wci_word_expand(words->items[i], json_object_get(in->config, "Env"), &text, err);
        if (code)
            break;
        wci_free(words->items[i]);
        words->items[i] = text;
    }
    return code;
}

static int32_t read_words(const instruction *in, const char *rest, wci_strv *out, wc_error **err)
{
    int32_t code = wci_words_split(rest, out, err);
    return code ? code : expand_all(in, out, err);
}

/* One word and nothing else. */
static int32_t read_word(const instruction *in, const char *rest, char **out, wc_error **err)
{
    wci_strv words = WCI_STRV_INIT;
    int32_t code = read_words(in, rest, &words, err);
    if (!code && words.count != 1)
        code = wci_err(err, WC_E_INVALID, "it takes one argument");
    if (!code && !*words.items[0])
        code = wci_err(err, WC_E_INVALID, "the argument is empty");
    if (!code && !(*out = wci_strdup(words.items[0])))
        code = wci_err_nomem(err);
    wci_strv_free(&words);
    return code;
}

/* ["a", "b"]; *out stays NULL for what is no array, which is a line for the shell then. */
static int32_t read_array(const char *rest, json_t **out, wc_error **err)
{
    json_t *array = NULL, *item;
    size_t i;
    *out = NULL;
    if (*rest != '[' || wci_json_parse(rest, strlen(rest), strlen(rest), "arguments", &array, NULL))
        return WC_OK;
    json_array_foreach(array, i, item)
        if (!json_is_string(item)) {
            json_decref(array);
            return wci_err(err, WC_E_INVALID, "an array of arguments holds texts alone");
        }
    *out = array;
    return WC_OK;
}

static json_t *object_of(json_t *config, const char *key)
{
    json_t *object = json_object_get(config, key);
    if (!json_is_object(object)) {
        json_object_set_new(config, key, json_object());
        object = json_object_get(config, key);
    }
    return object;
}

static int is_windows(const instruction *in)
{
    return wci_streq(in->os, "windows");
}

static int32_t set_text(json_t *config, const char *key, const char *text, wc_error **err)
{
    return json_object_set_new(config, key, json_string(text)) ? wci_err_nomem(err) : WC_OK;
}

/* ---- ENV and LABEL -------------------------------------------------------------------------------- */

/* "NAME the whole rest", the old form, is NAME="the whole rest". */
static int32_t split_pairs(const char *rest, wci_strv *out, wc_error **err)
{
    int32_t code = wci_words_split(rest, out, err);
    if (code || !out->count || strchr(out->items[0], '='))
        return code;
    size_t name = strlen(out->items[0]);
    wci_strv_free(out);
    const char *value = rest + name + strspn(rest + name, " \t");
    if (!*value)
        return wci_err(err, WC_E_INVALID, "it takes NAME=VALUE");
    return wci_strv_add_take(out, wci_asprintf("%.*s=%s", (int)name, rest, value)) ? wci_err_nomem(err) : WC_OK;
}

/* All values see the environment of before. */
static int32_t read_pairs(const instruction *in, const char *rest, wci_strv *out, wc_error **err)
{
    int32_t code = split_pairs(rest, out, err);
    if (!code)
        code = expand_all(in, out, err);
    if (!code && !out->count)
        code = wci_err(err, WC_E_INVALID, "it takes NAME=VALUE");
    for (size_t i = 0; i < out->count && !code; i++)
        if (!strchr(out->items[i], '=') || out->items[i][0] == '=')
            code = wci_err(err, WC_E_INVALID, "'%.80s' must be NAME=VALUE", out->items[i]);
    return code;
}

static int32_t apply_env(instruction *in, const char *rest, wc_error **err)
{
    wci_strv pairs = WCI_STRV_INIT;
    int32_t code = read_pairs(in, rest, &pairs, err);
    for (size_t i = 0; i < pairs.count && !code; i++)
        wci_edit_set_env(in->config, in->os, pairs.items[i]);
    wci_strv_free(&pairs);
    return code;
}

static int32_t apply_label(instruction *in, const char *rest, wc_error **err)
{
    wci_strv pairs = WCI_STRV_INIT;
    int32_t code = read_pairs(in, rest, &pairs, err);
    for (size_t i = 0; i < pairs.count && !code; i++)
        wci_edit_set_pair(object_of(in->config, "Labels"), pairs.items[i]);
    wci_strv_free(&pairs);
    return code;
}

/* ---- Commands ------------------------------------------------------------------------------------- */

static json_t *shell_of(const instruction *in)
{
    json_t *own = json_object_get(in->config, "Shell");
    if (json_array_size(own))
        return json_copy(own);
    return is_windows(in) ? json_pack("[s, s, s]", "cmd", "/S", "/C") : json_pack("[s, s]", "/bin/sh", "-c");
}

/* Windows takes a line as a whole, and is told so by ArgsEscaped. */
static json_t *windows_line(const instruction *in, const char *rest)
{
    wci_str line = WCI_STR_INIT;
    json_t *shell = shell_of(in), *word;
    size_t i;
    json_array_foreach(shell, i, word)
        wci_str_printf(&line, "%s ", json_string_value(word) ? json_string_value(word) : "");
    wci_str_append(&line, rest);
    char *text = wci_str_take(&line);
    json_t *array = text ? json_pack("[s]", text) : NULL;
    wci_free(text);
    json_decref(shell);
    return array;
}

static json_t *shell_line(const instruction *in, const char *rest)
{
    json_t *array = shell_of(in);
    if (array)
        json_array_append_new(array, json_string(rest));
    return array;
}

static int32_t set_command(instruction *in, const char *key, const char *rest, wc_error **err)
{
    json_t *array;
    int32_t code = read_array(rest, &array, err);
    if (code)
        return code;
    int is_line = !array;
    if (is_line && *rest)
        array = is_windows(in) ? windows_line(in, rest) : shell_line(in, rest);
    if (is_windows(in))
        json_object_set_new(in->config, "ArgsEscaped", json_boolean(is_line && *rest));
    if (!json_array_size(array)) {
        json_decref(array);
        json_object_del(in->config, key);
        return WC_OK;
    }
    return json_object_set_new(in->config, key, array) ? wci_err_nomem(err) : WC_OK;
}

static int32_t apply_cmd(instruction *in, const char *rest, wc_error **err)
{
    in->has_cmd = 1;
    return set_command(in, "Cmd", rest, err);
}

/* The arguments of the old one mean nothing to it. */
static int32_t apply_entrypoint(instruction *in, const char *rest, wc_error **err)
{
    if (!in->has_cmd)
        json_object_del(in->config, "Cmd");
    return set_command(in, "Entrypoint", rest, err);
}

/* ---- HEALTHCHECK ---------------------------------------------------------------------------------- */

static int32_t set_check_option(json_t *check, const char *word, size_t name, wc_error **err)
{
    static const struct {
        const char *option, *key;
    } durations[] = {{"--interval", "Interval"}, {"--timeout", "Timeout"}, {"--start-period", "StartPeriod"},
                     {"--start-interval", "StartInterval"}};
    const char *value = word + name + 1;
    uint64_t retries;
    int64_t ns;
    for (size_t i = 0; i < sizeof durations / sizeof *durations; i++) {
        if (strlen(durations[i].option) != name || strncmp(durations[i].option, word, name))
            continue;
        int32_t code = wci_duration_parse(value, &ns, err);
        if (!code && ns && ns < 1000000)
            code = wci_err(err, WC_E_INVALID, "%s must be at least 1ms", durations[i].option);
        return code || !json_object_set_new(check, durations[i].key, json_integer(ns)) ? code : wci_err_nomem(err);
    }
    if (strncmp(word, "--retries=", 10))
        return wci_err(err, WC_E_INVALID, "'%.80s' is none of its options", word);
    if (!wci_parse_u64(value, INT32_MAX, &retries))
        return wci_err(err, WC_E_INVALID, "--retries '%.80s' must be a number", value);
    return json_object_set_new(check, "Retries", json_integer((json_int_t)retries)) ? wci_err_nomem(err) : WC_OK;
}

/* Options stand before the rest; *rest moves on. */
static int32_t read_check_options(json_t *check, const char **rest, wc_error **err)
{
    int32_t code = WC_OK;
    while (!strncmp(*rest, "--", 2) && !code) {
        size_t size = strcspn(*rest, " \t");
        char *word = wci_strndup(*rest, size);
        if (!word)
            return wci_err_nomem(err);
        code = word[strcspn(word, "=")] ? set_check_option(check, word, strcspn(word, "="), err)
                                        : wci_err(err, WC_E_INVALID, "'%.80s' must be --OPTION=VALUE", word);
        wci_free(word);
        *rest += size + strspn(*rest + size, " \t");
    }
    return code;
}

/* *out stays NULL for what is none. */
static int32_t check_test(const char *rest, json_t **out, wc_error **err)
{
    *out = wci_strcasecmp(rest, "NONE") ? NULL : json_pack("[s]", "NONE");
    if (*out)
        return WC_OK;
    size_t n = strcspn(rest, " \t");
    const char *line = rest + n + strspn(rest + n, " \t");
    if (n != 3 || (strncmp(rest, "CMD", 3) && strncmp(rest, "cmd", 3)) || !*line)
        return WC_OK;
    int32_t code = read_array(line, out, err);
    if (code)
        return code;
    if (!*out)
        *out = json_pack("[s, s]", "CMD-SHELL", line);
    else if (json_array_size(*out))
        json_array_insert_new(*out, 0, json_string("CMD"));
    return WC_OK;
}

static int32_t apply_healthcheck(instruction *in, const char *rest, wc_error **err)
{
    json_t *check = json_object();
    int32_t code = check ? read_check_options(check, &rest, err) : wci_err_nomem(err);
    json_t *test = NULL;
    if (!code)
        code = check_test(rest, &test, err);
    if (!code && !json_array_size(test))
        code = wci_err(err, WC_E_INVALID, "it takes NONE, or CMD and a command");
    if (!code && wci_streq(json_string_value(json_array_get(test, 0)), "NONE") && json_object_size(check))
        code = wci_err(err, WC_E_INVALID, "NONE takes no options");
    if (code) {
        json_decref(test);
        json_decref(check);
        return code;
    }
    json_object_set_new(check, "Test", test);
    return json_object_set_new(in->config, "Healthcheck", check) ? wci_err_nomem(err) : WC_OK;
}

/* ---- EXPOSE and VOLUME ---------------------------------------------------------------------------- */

static const char *protocol_of(const char *text)
{
    static const char *const names[] = {"tcp", "udp", "sctp"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!wci_strcasecmp(text, names[i]))
            return names[i];
    return NULL;
}

/* "80", "80/udp", "1-3/tcp". */
static int32_t add_ports(json_t *ports, const char *word, wc_error **err)
{
    size_t size = strcspn(word, "/"), first = strcspn(word, "-/");
    const char *protocol = protocol_of(word[size] ? word + size + 1 : "tcp");
    char *range = wci_strndup(word, size);
    uint64_t from = 0, to = 0;
    if (!range)
        return wci_err_nomem(err);
    const char *last = range[first] == '-' ? range + first + 1 : range;
    int is_good = wci_parse_u64(last, MAX_PORT, &to);
    range[first] = '\0';
    is_good = is_good && wci_parse_u64(range, MAX_PORT, &from) && from && from <= to;
    wci_free(range);
    if (!is_good || !protocol)
        return wci_err(err, WC_E_INVALID, "'%.80s' must be PORT[-PORT][/tcp|udp|sctp]", word);
    for (char key[32]; from <= to; from++) {
        snprintf(key, sizeof key, "%u/%s", (unsigned)from, protocol);
        if (json_object_set_new(ports, key, json_object()))
            return wci_err_nomem(err);
    }
    return WC_OK;
}

static int32_t apply_expose(instruction *in, const char *rest, wc_error **err)
{
    wci_strv words = WCI_STRV_INIT;
    int32_t code = read_words(in, rest, &words, err);
    if (!code && !words.count)
        code = wci_err(err, WC_E_INVALID, "it takes a port");
    for (size_t i = 0; i < words.count && !code; i++)
        code = add_ports(object_of(in->config, "ExposedPorts"), words.items[i], err);
    wci_strv_free(&words);
    return code;
}

static int32_t read_volumes(const instruction *in, const char *rest, wci_strv *out, wc_error **err)
{
    json_t *array, *item;
    size_t i;
    int32_t code = read_array(rest, &array, err);
    if (!code && !array)
        code = wci_words_split(rest, out, err);
    json_array_foreach(array, i, item)
        if (!code && wci_strv_add(out, json_string_value(item)))
            code = wci_err_nomem(err);
    json_decref(array);
    return code ? code : expand_all(in, out, err);
}

static int is_absolute(const instruction *in, const char *path)
{
    return *path == '/' || (is_windows(in) && (*path == '\\' || wci_has_drive(path)));
}

static int32_t apply_volume(instruction *in, const char *rest, wc_error **err)
{
    wci_strv paths = WCI_STRV_INIT;
    int32_t code = read_volumes(in, rest, &paths, err);
    if (!code && !paths.count)
        code = wci_err(err, WC_E_INVALID, "it takes a path");
    for (size_t i = 0; i < paths.count && !code; i++) {
        if (!is_absolute(in, paths.items[i]))
            code = wci_err(err, WC_E_INVALID, "'%.80s' must be an absolute path", paths.items[i]);
        else if (json_object_set_new(object_of(in->config, "Volumes"), paths.items[i], json_object()))
            code = wci_err_nomem(err);
    }
    wci_strv_free(&paths);
    return code;
}

/* ---- Texts ---------------------------------------------------------------------------------------- */

static int32_t apply_user(instruction *in, const char *rest, wc_error **err)
{
    char *user = NULL;
    int32_t code = read_word(in, rest, &user, err);
    if (!code && (strchr(user, ':') != strrchr(user, ':') || *user == ':'))
        code = wci_err(err, WC_E_INVALID, "'%.80s' must be USER[:GROUP]", user);
    if (!code)
        code = set_text(in->config, "User", user, err);
    wci_free(user);
    return code;
}

/* Taken from where the last one led. */
static int32_t apply_workdir(instruction *in, const char *rest, wc_error **err)
{
    const char *now = wci_edit_config_text(in->config, "WorkingDir"), *slash = is_windows(in) ? "\\" : "/";
    char *path = NULL;
    int32_t code = read_word(in, rest, &path, err);
    char *whole = code || is_absolute(in, path) ? path : NULL;
    if (!code && !whole) {
        whole = wci_asprintf("%s%s%s", *now ? now : is_windows(in) ? "C:" : "", wci_ends_with(now, slash) ? "" : slash,
                             path);
        wci_free(path);
    }
    if (!code)
        code = whole ? set_text(in->config, "WorkingDir", whole, err) : wci_err_nomem(err);
    wci_free(whole);
    return code;
}

static int32_t apply_stop_signal(instruction *in, const char *rest, wc_error **err)
{
    char *signal = NULL;
    int number;
    int32_t code = read_word(in, rest, &signal, err);
    if (!code)
        code = wci_signal_parse(signal, &number, err);
    if (!code)
        code = set_text(in->config, "StopSignal", signal, err);
    wci_free(signal);
    return code;
}

/* For those who build on the image: kept as it is. */
static int32_t apply_on_build(instruction *in, const char *rest, wc_error **err)
{
    static const char *const refused[] = {"ONBUILD", "FROM", "MAINTAINER"};
    size_t size = strcspn(rest, " \t");
    if (!size)
        return wci_err(err, WC_E_INVALID, "it takes an instruction");
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        char *word = wci_strndup(rest, size);
        int is_refused = word && !wci_strcasecmp(word, refused[i]);
        wci_free(word);
        if (is_refused)
            return wci_err(err, WC_E_INVALID, "%s cannot be put off", refused[i]);
    }
    json_t *list = json_object_get(in->config, "OnBuild");
    if (!json_is_array(list) && json_object_set_new(in->config, "OnBuild", list = json_array()))
        return wci_err_nomem(err);
    return json_array_append_new(list, json_string(rest)) ? wci_err_nomem(err) : WC_OK;
}

/* ---- Lines ---------------------------------------------------------------------------------------- */

typedef int32_t (*apply_function)(instruction *in, const char *rest, wc_error **err);

static const struct {
    const char *word;
    apply_function apply;
} known[] = {
    {"CMD", apply_cmd},       {"ENTRYPOINT", apply_entrypoint},
    {"ENV", apply_env},       {"EXPOSE", apply_expose},
    {"LABEL", apply_label},   {"HEALTHCHECK", apply_healthcheck},
    {"USER", apply_user},     {"ONBUILD", apply_on_build},
    {"VOLUME", apply_volume}, {"STOPSIGNAL", apply_stop_signal},
    {"WORKDIR", apply_workdir},
};

/* NULL when there is no memory or no such word. */
static apply_function find(const char *line)
{
    apply_function found = NULL;
    char *word = wci_strndup(line, strcspn(line, " \t"));
    for (size_t i = 0; i < sizeof known / sizeof *known && word; i++)
        if (!wci_strcasecmp(word, known[i].word))
            found = known[i].apply;
    wci_free(word);
    return found;
}

static char *trimmed(const char *line)
{
    line += strspn(line, " \t");
    size_t size = strlen(line);
    while (size && (line[size - 1] == ' ' || line[size - 1] == '\t'))
        size--;
    return wci_strndup(line, size);
}

static int32_t check_line(const char *line, apply_function *out, wc_error **err)
{
    char shown[WCI_SHOWN_SIZE];
    if (strpbrk(line, "\r\n"))
        return wci_err(err, WC_E_INVALID, "'%s': is more than one line", (wci_show(line, shown), shown));
    *out = find(line);
    return *out ? WC_OK
                : wci_err(err, WC_E_INVALID, "'%s': must begin with CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, "
                          "ONBUILD, STOPSIGNAL, USER, VOLUME or WORKDIR", (wci_show(line, shown), shown));
}

int32_t wci_instruction_check(const char *line, wc_error **err)
{
    apply_function apply;
    char *text = trimmed(line);
    int32_t code = text ? check_line(text, &apply, err) : wci_err_nomem(err);
    wci_free(text);
    return code;
}

static int32_t apply_line(instruction *in, const char *line, wc_error **err)
{
    apply_function apply;
    char shown[WCI_SHOWN_SIZE], *text = trimmed(line);
    int32_t code = text ? check_line(text, &apply, err) : wci_err_nomem(err);
    if (!code) {
        size_t n = strcspn(text, " \t");
        code = apply(in, text + n + strspn(text + n, " \t"), err);
        if (code)
            code = wci_err_wrap(err, code, "'%s'", (wci_show(text, shown), shown));
    }
    wci_free(text);
    return code;
}

int32_t wci_instructions_apply(const wci_strv *lines, const char *os, json_t *config, wc_error **err)
{
    instruction in = {config, os, 0};
    int32_t code = WC_OK;
    for (size_t i = 0; i < lines->count && !code; i++)
        code = apply_line(&in, lines->items[i], err);
    return code;
}
